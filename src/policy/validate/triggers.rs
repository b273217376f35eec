//! Triggers that use each other: resolved into trees, cycles and explosions refused.

use std::collections::{BTreeMap, BTreeSet};

use super::references::Tables;
use crate::policy::codes::Code;
use crate::policy::decode::{RawInline, RawSource, RawTrigger, closest};
use crate::policy::diagnostic::{At, Faults, Spanned};
use crate::policy::model::{IfMissing, Outside, Source, Term, Trigger};

/// The name that every policy has without defining it.
const UPLOADED: &str = "uploaded";

/// How many dates one trigger may look at in all, however it is put together.
const MOST_TERMS: usize = 64;

/// How deep triggers may use each other.
const MOST_DEPTH: usize = 16;

/// The triggers of a policy by name, resolved as they are asked for.
pub(super) struct Triggers<'r> {
    raw: BTreeMap<&'r str, (At, Option<&'r RawTrigger>)>,
    done: BTreeMap<&'r str, Option<Built>>,
    /// Names that are being resolved.
    open: Vec<&'r str>,
    tables: &'r Tables,
    warnings: Faults,
}

#[derive(Clone)]
struct Built {
    trigger: Trigger,
    terms: usize,
    depth: usize,
}

impl Built {
    fn leaf(source: Source) -> Self {
        let trigger = Trigger {
            name: None,
            source,
            format: None,
            within: None,
            outside: Outside::default(),
            if_missing: None,
        };
        Self { trigger, terms: 1, depth: 1 }
    }
}

impl<'r> Triggers<'r> {
    pub(super) fn new(
        raw: &'r [(Spanned<String>, Option<RawTrigger>)],
        tables: &'r Tables,
        faults: &mut Faults,
    ) -> Self {
        let raw: BTreeMap<_, _> =
            raw.iter().map(|(name, raw)| (name.value.as_str(), (name.at, raw.as_ref()))).collect();
        if let Some((at, _)) = raw.get(UPLOADED) {
            faults
                .add(Code::Name, *at, "`uploaded` is the upload time in every policy")
                .help("give the trigger another name");
        }
        Self { raw, done: BTreeMap::new(), open: Vec::new(), tables, warnings: Faults::default() }
    }

    /// What in the triggers can never count.
    pub(super) fn warnings(self) -> Faults {
        self.warnings
    }

    /// The trigger of a rule. Where nothing says what a missing value means, it is undecided.
    pub(super) fn of_rule(&mut self, raw: &'r RawTrigger, faults: &mut Faults) -> Option<Trigger> {
        let mut trigger = self.build(raw, faults)?.trigger;
        trigger.if_missing.get_or_insert(IfMissing::Undecided);
        Some(trigger)
    }

    /// Resolves what no rule has asked for, and names it.
    pub(super) fn resolve_unused(&mut self, faults: &mut Faults) -> Vec<Spanned<String>> {
        let used: BTreeSet<_> = self.done.keys().copied().collect();
        let unused: Vec<_> = self
            .raw
            .iter()
            .filter(|(name, _)| !used.contains(*name))
            .map(|(name, (at, _))| (*name, *at))
            .collect();
        for (name, at) in &unused {
            self.named(name, *at, faults);
        }
        unused.into_iter().map(|(name, at)| Spanned { value: name.to_owned(), at }).collect()
    }

    fn build(&mut self, raw: &'r RawTrigger, faults: &mut Faults) -> Option<Built> {
        let inline = match raw {
            RawTrigger::Named(name) if name.value == UPLOADED => return Some(Built::leaf(Source::Uploaded)),
            RawTrigger::Named(name) => return self.named(&name.value, name.at, faults),
            RawTrigger::Inline(inline) => inline,
        };
        let mut built = match &inline.source {
            RawSource::Uploaded => Built::leaf(Source::Uploaded),
            RawSource::Attribute(attribute) => Built::leaf(Source::Attribute(attribute.clone())),
            RawSource::Record { at, table, column } => {
                let table = self.tables.find(table, *at, faults)?;
                Built::leaf(Source::Record { table, column: column.clone() })
            }
            RawSource::Earliest(terms) => self.combination(Source::Earliest, terms, inline.at, faults)?,
            RawSource::Latest(terms) => self.combination(Source::Latest, terms, inline.at, faults)?,
            RawSource::First(terms) => self.combination(Source::First, terms, inline.at, faults)?,
        };
        built.trigger.format.clone_from(&inline.format);
        built.trigger.within = inline.within;
        built.trigger.outside = inline.outside;
        self.never_counts(inline, &built.trigger);
        built.trigger.if_missing = inline.if_missing.as_ref().map(|if_missing| if_missing.value);
        Some(built)
    }

    /// Warns of terms of a `first` that are never reached, and of an `if-missing` where nothing can be;
    /// `trigger` is still without it.
    fn never_counts(&mut self, raw: &RawInline, trigger: &Trigger) {
        if let (RawSource::First(raw), Source::First(terms)) = (&raw.source, &trigger.source) {
            let mut terms = raw.iter().zip(terms).skip_while(|(_, term)| may_be_absent(&term.trigger));
            if let (Some((certain, _)), Some((next, _))) = (terms.next(), terms.next()) {
                let message = "this term of `first` is never absent, so those behind it are never reached";
                self.warnings
                    .add(Code::NeverCounts, certain.at(), message)
                    .see(next.at(), "never reached")
                    .help("put it last: what is `uploaded` or has an `if-missing` of its own always counts");
            }
        }
        if let Some(if_missing) = &raw.if_missing
            && !may_be_absent(trigger)
        {
            let message = "this `if-missing` never counts, for the trigger is never absent";
            self.warnings
                .add(Code::NeverCounts, if_missing.at, message)
                .help("take it out, or name without `if-missing` the term that has one of its own");
        }
    }

    fn combination(
        &mut self,
        of: fn(Vec<Term>) -> Source,
        raw: &'r [RawTrigger],
        at: At,
        faults: &mut Faults,
    ) -> Option<Built> {
        let mut terms = Vec::new();
        let (mut count, mut depth) = (0, 1);
        for raw in raw {
            let Some(built) = self.build(raw, faults) else { continue };
            count += built.terms;
            depth = depth.max(built.depth + 1);
            if count > MOST_TERMS || depth > MOST_DEPTH {
                too_large(at, faults);
                return None;
            }
            let plus = match raw {
                RawTrigger::Inline(inline) => inline.plus,
                RawTrigger::Named(_) => None,
            };
            terms.push(Term { trigger: built.trigger, plus });
        }
        let mut built = Built::leaf(of(terms));
        (built.terms, built.depth) = (count, depth);
        Some(built)
    }

    fn named(&mut self, name: &'r str, at: At, faults: &mut Faults) -> Option<Built> {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        if let Some(start) = self.open.iter().position(|open| *open == name) {
            let circle: Vec<_> =
                self.open[start..].iter().chain([&name]).map(|name| format!("`{name}`")).collect();
            faults.add(
                Code::Cycle,
                at,
                format!("triggers use each other in a circle: {}", circle.join(" uses ")),
            );
            return None;
        }
        let Some((_, raw)) = self.raw.get(name) else {
            if self.tables.complete {
                let near = closest(name, self.raw.keys().copied().chain([UPLOADED]), faults);
                let fault = faults.add(Code::UnknownReference, at, format!("there is no trigger `{name}`"));
                match near {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("define it under `triggers:`, or use `uploaded`"),
                };
            }
            return None;
        };
        let built = match raw {
            Some(_) if self.open.len() >= MOST_DEPTH => {
                too_large(at, faults);
                None
            }
            Some(raw) => {
                self.open.push(name);
                let built = self.build(raw, faults);
                self.open.pop();
                built
            }
            None => None,
        };
        let built = built.map(|mut built| {
            built.trigger.name = Some(name.to_owned());
            built
        });
        self.done.insert(name, built.clone());
        built
    }
}

/// Whether it can be absent, so that a larger trigger goes on without it.
fn may_be_absent(trigger: &Trigger) -> bool {
    let of_term = |term: &Term| may_be_absent(&term.trigger);
    trigger.if_missing.is_none()
        && match &trigger.source {
            Source::Uploaded => false,
            Source::Attribute(_) | Source::Record { .. } => true,
            Source::Earliest(terms) | Source::First(terms) => terms.iter().all(of_term),
            Source::Latest(terms) => terms.iter().any(of_term),
        }
}

fn too_large(at: At, faults: &mut Faults) {
    faults.add(
        Code::TriggerTooLarge,
        at,
        format!("with the triggers that it uses, it has more than {MOST_TERMS} terms or is nested more than {MOST_DEPTH} deep"),
    );
}
