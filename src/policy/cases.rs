//! From a test file, or an object's description, to what it says, or to all of its faults.
//!
//! What a test adds to the policy goes the policy's own way: the same parser, the same rules of
//! what fits together, and faults that point into the test file.

use std::collections::HashMap;
use std::sync::Arc;

use super::case::{Case, Expectation, GivenObject, GivenTable};
use super::codes::Code;
use super::decode::{self, Raw, RawCase, RawRows, RawTableOf, Under, closest};
use super::diagnostic::{At, Diagnostic, Faults, Severity, SourceFile, Spanned};
use super::model::{Policy, Table};
use super::places::Places;
use super::yaml::Node;
use super::{validate, yaml};

/// The object that `file` describes, for `policy` to be asked about.
///
/// # Errors
/// All faults that were found; never an empty list.
pub fn read_object(policy: &Policy, file: &SourceFile) -> Result<GivenObject, Vec<Diagnostic>> {
    let mut faults = Faults::default();
    let documents = yaml::read(0, file, &mut faults);
    let mut objects = documents.roots.iter();
    let object = objects.next().and_then(|root| {
        let object = decode::object(root, &mut faults)?;
        needs_size(&object, policy, root.head(), &mut faults);
        Some(object)
    });
    if let Some(more) = objects.next() {
        faults.add(Code::SaidTwice, more.head(), "one file describes one object, and here begins another");
    }
    match object.filter(|_| faults.count() == 0) {
        Some(object) => Ok(object),
        None => Err(Places::new(std::slice::from_ref(file)).diagnostics(faults, Severity::Error)),
    }
}

/// The cases of the test file `file` of a policy that is valid by itself.
///
/// # Errors
/// All faults that were found in the test file; never an empty list. Their places may be related
/// to some in the policy.
pub fn read_cases(policy_files: &[SourceFile], file: &SourceFile) -> Result<Vec<Case>, Vec<Diagnostic>> {
    let mut faults = Faults::default();
    let roots: Vec<Node> = policy_files
        .iter()
        .enumerate()
        .flat_map(|(index, file)| yaml::read(index, file, &mut faults).roots)
        .collect();
    let here = policy_files.len();
    let documents = yaml::read_with_dates(here, file, &mut faults);
    let files: Vec<SourceFile> = policy_files.iter().chain([file]).cloned().collect();
    let places = Places::new(&files);
    let mut reader = Reader { roots: &roots, places: &places, faults, names: HashMap::new() };
    let cases: Vec<Case> = documents.roots.iter().flat_map(|root| reader.document(root)).collect();
    let faults = reader.faults;
    if faults.count() > 0 {
        let mut found = places.diagnostics(faults, Severity::Error);
        // What stands at the top of a file is read for every test anew.
        let mut seen = Vec::new();
        found.retain(|fault| {
            !seen.contains(fault) && {
                seen.push(fault.clone());
                true
            }
        });
        return Err(found);
    }
    Ok(cases)
}

struct Reader<'r> {
    roots: &'r [Node],
    places: &'r Places,
    faults: Faults,
    names: HashMap<String, At>,
}

impl Reader<'_> {
    fn document(&mut self, root: &Node) -> Vec<Case> {
        let Some(file) = decode::cases(root, &mut self.faults) else { return Vec::new() };
        let shared = self.policy(&[&file.under]);
        file.cases.into_iter().filter_map(|raw| self.case(raw, &file.under, &shared)).collect()
    }

    /// The policy with what a test stands under.
    fn policy(&mut self, under: &[&Under<'_>]) -> Arc<Policy> {
        let mut raw = Raw::default();
        for root in self.roots {
            decode::document(root, &mut raw, &mut self.faults);
        }
        for under in under {
            decode::extras(&under.extras, &mut raw, &mut self.faults);
        }
        for without in under.iter().flat_map(|under| &under.without_holds) {
            let is_it =
                |id: &Option<Spanned<String>>| id.as_ref().is_some_and(|id| id.value == without.value);
            if raw.holds.iter().any(|hold| is_it(&hold.id)) {
                raw.holds.retain(|hold| !is_it(&hold.id));
            } else {
                let ids = raw.holds.iter().filter_map(|hold| hold.id.as_ref()).map(|id| id.value.as_str());
                unknown("hold", without, ids, &mut self.faults);
            }
        }
        let (policy, _) = validate::policy(raw, true, &mut self.faults, &mut Faults::default());
        Arc::new(policy)
    }

    fn case(&mut self, raw: RawCase<'_>, file: &Under<'_>, shared: &Arc<Policy>) -> Option<Case> {
        let policy = match raw.under.keeps_the_policy() {
            true => Arc::clone(shared),
            false => self.policy(&[file, &raw.under]),
        };
        let tables = self.tables(&policy, &[&file.tables, &raw.under.tables]);
        if let Some(object) = &raw.object {
            needs_size(object, &policy, raw.object_at, &mut self.faults);
        }
        let expectations: Vec<Expectation> =
            raw.expectations.into_iter().map(|one| self.expectation(one, &policy)).collect();
        let name = raw.name?;
        if let Some(first) = self.names.insert(name.value.clone(), name.at) {
            self.faults
                .add(Code::DuplicateId, name.at, format!("there is another test `{}`", name.value))
                .see(first, "first given here");
        }
        let at = self.places.of(name.at);
        Some(Case { name: name.value, at, object: raw.object?, policy, tables, expectations })
    }

    fn tables(&mut self, policy: &Policy, given: &[&[RawRows]]) -> Vec<GivenTable> {
        let mut tables = vec![GivenTable::default(); policy.tables.len()];
        for rows in given.iter().copied().flatten() {
            match policy.tables.iter().position(|table| table.name == rows.name.value) {
                Some(place) => {
                    let Some((table, slot)) = policy.tables.get(place).zip(tables.get_mut(place)) else {
                        continue;
                    };
                    *slot = self.table(table, rows);
                }
                None => {
                    let names = policy.tables.iter().map(|table| table.name.as_str());
                    unknown("record file", &rows.name, names, &mut self.faults);
                }
            }
        }
        tables
    }

    fn table(&mut self, table: &Table, given: &RawRows) -> GivenTable {
        let rows = match &given.table {
            RawTableOf::Unusable(why) => return why.clone(),
            RawTableOf::Rows(rows) => rows,
        };
        let exported = table.fresh.as_ref().map(|fresh| &fresh.exported_at);
        let known: Vec<&str> =
            [&table.id].into_iter().chain(exported).chain(&table.columns).map(String::as_str).collect();
        for row in rows {
            for (column, _) in row.iter().filter(|(column, _)| !known.contains(&column.value.as_str())) {
                let message = format!("the policy asks for no column `{}` of `{}`", column.value, table.name);
                let help = match closest(&column.value, known.iter().copied(), &self.faults) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it asks for: {}", known.join(", ")),
                };
                self.faults.add(Code::UnknownReference, column.at, message).help(help);
            }
            let id = row.iter().find(|(column, _)| column.value == table.id);
            if id.is_none_or(|(_, id)| id.trim().is_empty()) {
                let at = row.first().map_or(given.name.at, |(column, _)| column.at);
                self.faults.add(
                    Code::MissingKey,
                    at,
                    format!("a row of `{}` needs `{}`", table.name, table.id),
                );
            }
        }
        let plain = |row: &Vec<(Spanned<String>, String)>| {
            row.iter().map(|(column, text)| (column.value.clone(), text.clone())).collect()
        };
        GivenTable::Rows(rows.iter().map(plain).collect())
    }

    fn expectation(&mut self, raw: decode::RawExpectation, policy: &Policy) -> Expectation {
        let rules: Vec<&str> = policy.rules.iter().map(|rule| rule.id.as_str()).collect();
        let holds: Vec<&str> = policy.holds.iter().map(|hold| hold.id.as_str()).collect();
        let erasures: Vec<&str> = policy.erasures.iter().map(|erasure| erasure.id.as_str()).collect();
        let named = raw.rule.iter().chain(raw.rules.iter().flatten()).map(|id| ("rule", id, &rules));
        let named = named.chain(raw.holds.iter().flatten().map(|id| ("hold", id, &holds)));
        let named = named.chain(raw.erasures.iter().flatten().map(|id| ("erasure", id, &erasures)));
        for (what, id, known) in named {
            if !known.contains(&id.value.as_str()) {
                unknown(what, id, known.iter().copied(), &mut self.faults);
            }
        }
        let plain = |ids: Option<Vec<Spanned<String>>>| {
            ids.map(|ids| {
                let mut ids: Vec<String> = ids.into_iter().map(|id| id.value).collect();
                ids.sort();
                ids.dedup();
                ids
            })
        };
        Expectation {
            on: raw.on,
            at: self.places.of(raw.written.at),
            written: raw.written.value,
            decision: raw.decision,
            due: raw.due,
            rule: raw.rule.map(|rule| rule.value),
            rules: plain(raw.rules),
            holds: plain(raw.holds),
            erasures: plain(raw.erasures),
            tenant: raw.tenant,
            reasons: raw.reasons,
        }
    }
}

fn unknown<'k>(what: &str, id: &Spanned<String>, known: impl Iterator<Item = &'k str>, faults: &mut Faults) {
    let near = closest(&id.value, known, faults);
    let fault = faults.add(Code::UnknownReference, id.at, format!("there is no {what} `{}`", id.value));
    if let Some(near) = near {
        fault.help(format!("did you mean `{near}`?"));
    }
}

/// A listing always tells the size, so an object without one is not supposed to have any.
fn needs_size(object: &GivenObject, policy: &Policy, at: At, faults: &mut Faults) {
    if object.lacks_size(policy) {
        faults
            .add(Code::MissingKey, at, "the policy goes by size here, so the object needs `size`")
            .help("write it in bytes, or with a unit: `size: 5 MiB`");
    }
}
