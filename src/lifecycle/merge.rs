//! Putting compiled rules into a bucket's configuration without touching anybody else's.
//!
//! A configuration is replaced as a whole and S3 has no compare-and-swap for it, so a change is
//! written in two steps: first `staged`, in which S3 does nothing that it did not do before,
//! and after that was read back and compared, `after`.

use std::collections::BTreeSet;

use super::compare::{is_renamed, same_meaning};
use super::document::{DocumentRule, LifecycleDocument};
use super::owned::OwnedRule;
use super::problem::MOST_RULES;
use super::rule::{Form, Status};

/// What to put in a configuration's place.
#[derive(Clone, Debug)]
pub enum Target {
    /// Nothing: the configuration is to be deleted, for S3 takes none without rules.
    Delete,
    /// This.
    Put(LifecycleDocument),
}

/// A merged configuration, and the way there.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The end.
    pub after: Target,
    /// The first step: what narrows is done, and rules that are new or do more than before are
    /// there but disabled, with what they replace still at work where they do all of that too.
    pub staged: Target,
    /// What changes, one entry for each rule of the policy's that is or was there; sorted by the
    /// policy's rule.
    pub changes: Vec<RuleChange>,
    /// What stood there.
    before: LifecycleDocument,
    policy_name: String,
}

/// What becomes of one lifecycle rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    /// Its id; that of the rule before where it is removed.
    pub id: String,
    /// The policy's rule that it carries out.
    pub policy_rule: String,
    /// What becomes of it.
    pub kind: ChangeKind,
    /// What it did before, in plain words.
    pub before: Option<String>,
    /// What it does afterwards, in plain words.
    pub after: Option<String>,
}

/// What becomes of a lifecycle rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It makes S3 remove all that it did before, and more or sooner.
    Widened,
    /// It makes S3 remove nothing that it did not before, and nothing sooner.
    Narrowed,
    /// It is neither wider nor narrower.
    Changed,
    /// It goes.
    Removed,
    /// It was there and did not run.
    Enabled,
    /// It stays as it is.
    Kept,
}

impl ChangeKind {
    /// Whether S3 could remove something that it would not have removed before, or sooner.
    pub const fn removes_more(self) -> bool {
        match self {
            Self::Added | Self::Widened | Self::Changed | Self::Enabled => true,
            Self::Narrowed | Self::Removed | Self::Kept => false,
        }
    }

    /// The word used in summaries and `--json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Enabled => "enabled",
            Self::Kept => "kept",
        }
    }
}

/// Why nothing can be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The old form of configuration takes no rules with a `Filter`.
    #[error(
        "the bucket's lifecycle configuration has the old form (a Prefix in the rule itself), beside which S3 takes no rule with a Filter"
    )]
    V1,
}

impl Target {
    fn rules(&self) -> &[DocumentRule] {
        match self {
            Self::Delete => &[],
            Self::Put(document) => document.rules(),
        }
    }
}

impl Merge {
    /// Whether all is as it should be, so that nothing is to be written.
    pub fn is_unchanged(&self) -> bool {
        match &self.after {
            Target::Delete => self.before.rules().is_empty(),
            Target::Put(after) => same_meaning(after, &self.before).is_ok(),
        }
    }

    /// Whether S3 could remove something that it would not have removed before, or sooner. If not,
    /// `staged` and `after` are the same.
    pub fn removes_more(&self) -> bool {
        self.changes.iter().any(|change| change.kind.removes_more())
    }

    /// What stood there.
    pub fn before(&self) -> &LifecycleDocument {
        &self.before
    }

    /// Whether the rules of others have a form that S3 takes the policy's beside. Where S3 is to do no more,
    /// what stands of these stands beside them already, so the store takes that.
    ///
    /// # Errors
    /// [`MergeError::V1`].
    pub fn check_form(&self) -> Result<(), MergeError> {
        // Ours are written anew; some stores give them back in the old form.
        let is_v1 = |rule: &DocumentRule| {
            rule.policy_rule(&self.policy_name).is_none()
                && matches!(rule.view().form, Form::Prefix | Form::Both)
        };
        let stands_beside_v1 = self.removes_more() && self.before.rules().iter().any(is_v1);
        if stands_beside_v1 { Err(MergeError::V1) } else { Ok(()) }
    }

    /// Only what makes S3 do less: what would do more is left for another time.
    pub fn narrowing(&self) -> Self {
        let stood = |id: &str| self.before.rules().iter().find(|rule| rule.id() == id);
        let kind = |id: &str| self.changes.iter().find(|change| change.id == id).map(|change| change.kind);
        let stays = self.staged.rules().iter().filter_map(|rule| match kind(rule.id()) {
            Some(ChangeKind::Added | ChangeKind::Changed) => None,
            // What stood under the same id does no more than is wanted.
            Some(ChangeKind::Widened | ChangeKind::Enabled) => stood(rule.id()),
            Some(ChangeKind::Narrowed | ChangeKind::Kept | ChangeKind::Removed) | None => Some(rule),
        });
        let stays: Vec<&DocumentRule> = stays.collect();
        let is_ours = |rule: &&DocumentRule| rule.policy_rule(&self.policy_name).is_some();
        let old: Vec<&DocumentRule> = self.before.rules().iter().filter(is_ours).collect();
        let new: Vec<&DocumentRule> = stays.iter().copied().filter(is_ours).collect();
        let narrowed = target(&self.before, &stays, Vec::new());
        Self {
            after: narrowed.clone(),
            staged: narrowed,
            // Some of what the whole change takes away stays, and some of what it replaces goes for nothing.
            changes: sorted(changes_between(&old, &new, &self.policy_name)),
            before: self.before.clone(),
            policy_name: self.policy_name.clone(),
        }
    }

    /// The same without the policy's rules of these ids: a store that makes something else of them
    /// is not given them.
    pub fn without(&self, ids: &BTreeSet<String>) -> Self {
        let left = |target: &Target| match target {
            Target::Delete => Target::Delete,
            Target::Put(document) => {
                let rules =
                    document.rules().iter().filter(|rule| !ids.contains(rule.id())).collect::<Vec<_>>();
                self::target(document, &rules, Vec::new())
            }
        };
        Self {
            after: left(&self.after),
            staged: left(&self.staged),
            changes: self.changes.iter().filter(|change| !ids.contains(&change.id)).cloned().collect(),
            before: self.before.clone(),
            policy_name: self.policy_name.clone(),
        }
    }
}

/// Merges the compiled `rules` of the policy `policy_name` into what stands in the bucket (`None`:
/// no configuration). All other rules, those of other policies too, stay exactly as they are and
/// in their order; the policy's own follow, sorted by id.
///
/// # Errors
/// As [`Merge::check_form`] says.
pub fn merge(
    before: Option<&LifecycleDocument>,
    policy_name: &str,
    rules: &[OwnedRule],
) -> Result<Merge, MergeError> {
    let merge = merge_in_any_form(before, policy_name, rules);
    merge.check_form()?;
    Ok(merge)
}

/// The same, whatever form the rules of others have: perhaps not all of it is to be written.
pub fn merge_in_any_form(
    before: Option<&LifecycleDocument>,
    policy_name: &str,
    rules: &[OwnedRule],
) -> Merge {
    let base = before.cloned().unwrap_or_default();
    let (old, foreign): (Vec<&DocumentRule>, Vec<&DocumentRule>) =
        base.rules().iter().partition(|rule| rule.policy_rule(policy_name).is_some());
    let mut rules: Vec<&OwnedRule> = rules.iter().collect();
    rules.sort();
    rules.dedup();
    let new: Vec<DocumentRule> = rules.iter().map(|rule| DocumentRule::ours(rule, Status::Enabled)).collect();
    let news: Vec<&DocumentRule> = new.iter().collect();
    let changes = changes_between(&old, &news, policy_name);
    let stage = |(rule, change): (&&OwnedRule, &RuleChange)| {
        let status = if change.kind.removes_more() { Status::Disabled } else { Status::Enabled };
        DocumentRule::ours(rule, status)
    };
    let mut staged: Vec<DocumentRule> = rules.iter().zip(&changes).map(stage).collect();
    let is_new = |id: &str| new.iter().any(|new| new.id() == id);
    // Until what is new is enabled, S3 would fall behind without what it did of it before.
    let goes_on = |old: &DocumentRule| {
        let does_no_more = new.iter().any(|new| old.view().is_implied_by(new.view()));
        old.view().is_enabled() && !is_new(old.id()) && does_no_more
    };
    let mut still_at_work: Vec<DocumentRule> = Vec::new();
    if changes.iter().any(|change| change.kind.removes_more()) {
        still_at_work.extend(old.iter().copied().filter(|old| goes_on(old)).cloned());
    }
    // Without room for both, S3 falls behind for the moment instead.
    if foreign.len() + staged.len() + still_at_work.len() <= MOST_RULES {
        staged.append(&mut still_at_work);
    }
    staged.sort_by(|a, b| a.id().cmp(b.id()));
    Merge {
        after: target(&base, &foreign, new),
        staged: target(&base, &foreign, staged),
        changes: sorted(changes),
        policy_name: policy_name.to_owned(),
        before: base,
    }
}

/// What to put in `now`'s place so that the rules of the policy `policy_name` are those of `then`
/// again, while all others stay as they are now: somebody may have changed them since. What stands
/// there under another id, says what a rule of the policy's in `written` does, and was nobody's
/// before, is that rule, which the store has renamed: it goes.
pub fn restore(
    now: Option<&LifecycleDocument>,
    then: Option<&LifecycleDocument>,
    written: Option<&LifecycleDocument>,
    policy_name: &str,
) -> Target {
    let base = now.or(then).cloned().unwrap_or_default();
    let is_ours = |rule: &&DocumentRule| rule.policy_rule(policy_name).is_some();
    let rules_of = |document: Option<&LifecycleDocument>| {
        document.map(|document| document.rules().to_vec()).unwrap_or_default()
    };
    let (now, then) = (rules_of(now), rules_of(then));
    let (ours, others): (Vec<DocumentRule>, Vec<DocumentRule>) =
        rules_of(written).into_iter().partition(|rule| is_ours(&rule));
    let stays = |rule: &&DocumentRule| !is_ours(rule) && !is_renamed(rule, &ours, &others);
    let foreign: Vec<&DocumentRule> = now.iter().filter(stays).collect();
    target(&base, &foreign, then.iter().filter(is_ours).cloned().collect())
}

/// What to put in `now`'s place when `staged` did not come to stand there: of the policy's rules
/// only those that are at work in `staged` and were so in `before`, unchanged. What a narrowing took
/// away stays away.
pub fn retreat(
    now: Option<&LifecycleDocument>,
    staged: Option<&LifecycleDocument>,
    before: Option<&LifecycleDocument>,
    policy_name: &str,
) -> Target {
    let was_there = |rule: &&DocumentRule| {
        let same = |other: &DocumentRule| other.id() == rule.id() && other.view() == rule.view();
        rule.view().is_enabled() && before.is_some_and(|before| before.rules().iter().any(same))
    };
    let kept =
        staged.map(|staged| staged.with_rules(staged.rules().iter().filter(was_there).cloned().collect()));
    restore(now, kept.as_ref(), staged, policy_name)
}

/// Whether `then` in the place of `now` makes S3 remove something that it does not remove now, or
/// sooner.
pub fn removes_more(now: Option<&LifecycleDocument>, then: Option<&LifecycleDocument>) -> bool {
    let now = now.map_or(&[][..], LifecycleDocument::rules);
    let then = then.map_or(&[][..], LifecycleDocument::rules);
    !then
        .iter()
        .all(|then| now.iter().any(|now| then.view().is_implied_by(now.view())) || !then.view().is_enabled())
}

fn target(base: &LifecycleDocument, foreign: &[&DocumentRule], ours: Vec<DocumentRule>) -> Target {
    let rules: Vec<DocumentRule> = foreign.iter().copied().cloned().chain(ours).collect();
    if rules.is_empty() { Target::Delete } else { Target::Put(base.with_rules(rules)) }
}

/// What becomes of each of the policy's rules where `new` comes in the place of `old`: of the new ones
/// in their order, then of those that go.
fn changes_between(old: &[&DocumentRule], new: &[&DocumentRule], policy_name: &str) -> Vec<RuleChange> {
    let mut replaced = BTreeSet::new();
    let mut changes = Vec::new();
    for rule in new {
        let before = predecessor(old, new, policy_name, rule);
        replaced.extend(before.map(DocumentRule::id));
        changes.push(RuleChange {
            id: rule.id().to_owned(),
            policy_rule: rule.policy_rule(policy_name).unwrap_or_default(),
            kind: kind_of(old, before, rule),
            before: before.map(|before| before.view().to_string()),
            after: Some(rule.view().to_string()),
        });
    }
    let is_new = |id: &str| new.iter().any(|new| new.id() == id);
    let gone = old.iter().filter(|old| !is_new(old.id()) && !replaced.contains(old.id()));
    changes.extend(gone.map(|gone| RuleChange {
        id: gone.id().to_owned(),
        policy_rule: gone.policy_rule(policy_name).unwrap_or_default(),
        kind: ChangeKind::Removed,
        before: Some(gone.view().to_string()),
        after: None,
    }));
    changes
}

fn sorted(mut changes: Vec<RuleChange>) -> Vec<RuleChange> {
    changes.sort_by(|a, b| (&a.policy_rule, &a.id).cmp(&(&b.policy_rule, &b.id)));
    changes
}

/// The rule that a new one comes in place of: the one with its id, else one for the same objects
/// and the same rule of the policy that does the same kind of thing, else the only one of that
/// kind where the new one is the only one too.
fn predecessor<'d>(
    old: &[&'d DocumentRule],
    all: &[&DocumentRule],
    policy_name: &str,
    new: &DocumentRule,
) -> Option<&'d DocumentRule> {
    let removes_markers = |rule: &DocumentRule| rule.view().expiration.as_ref().is_some_and(|e| e.markers);
    let is_akin = |other: &DocumentRule| {
        other.policy_rule(policy_name) == new.policy_rule(policy_name)
            && removes_markers(other) == removes_markers(new)
    };
    let is_left = |old: &DocumentRule| !all.iter().any(|new| new.id() == old.id());
    let akin: Vec<&'d DocumentRule> =
        old.iter().copied().filter(|old| is_akin(old) && is_left(old)).collect();
    let is_lone = akin.len() == 1 && all.iter().filter(|new| is_akin(new)).count() == 1;
    let same_id = old.iter().copied().find(|old| old.id() == new.id());
    let same_objects = akin.iter().copied().find(|old| old.view().filter == new.view().filter);
    same_id.or(same_objects).or_else(|| akin.first().copied().filter(|_| is_lone))
}

fn kind_of(old: &[&DocumentRule], before: Option<&DocumentRule>, new: &DocumentRule) -> ChangeKind {
    let (new, before) = (new.view(), before.map(DocumentRule::view));
    match before {
        Some(before) if before.same_content(new) && before.id == new.id => {
            if before.status == new.status {
                ChangeKind::Kept
            } else {
                ChangeKind::Enabled
            }
        }
        // Whichever of the old ones did so: a broad one that is split up did.
        _ if old.iter().any(|old| new.is_implied_by(old.view())) => ChangeKind::Narrowed,
        None => ChangeKind::Added,
        Some(before) if before.is_implied_by(new) => ChangeKind::Widened,
        Some(_) => ChangeKind::Changed,
    }
}
