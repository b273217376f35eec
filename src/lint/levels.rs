//! Key patterns that reach fewer levels of keys than may be meant.

use super::findings::Findings;
use super::meeting::{Meeting, Meetings};
use crate::pattern::Shallow;
use crate::policy::{At, Code, ReadPolicy, Select, Severity};

/// What a select belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Rule,
    Hold,
    Erasure,
    Exception,
}

impl Of {
    const fn this(self) -> &'static str {
        match self {
            Self::Rule => "the rule",
            Self::Hold => "the hold",
            Self::Erasure => "the erasure",
            Self::Exception => "an exception",
        }
    }

    const fn another(self) -> &'static str {
        match self {
            Self::Rule => "another rule",
            Self::Hold => "another hold",
            Self::Erasure => "another erasure",
            Self::Exception => "another exception",
        }
    }
}

/// Selects that stand side by side.
struct Kin<'p> {
    of: Of,
    /// What these are the exceptions from.
    whole: Option<&'p Select>,
    selects: Vec<(&'p Select, At)>,
}

fn kin(read: &ReadPolicy) -> Vec<Kin<'_>> {
    let (policy, layout) = (&read.policy, &read.layout);
    let rules = policy.rules.iter().zip(&layout.rules).map(|(it, at)| (&it.select, at.select));
    let holds = policy.holds.iter().zip(&layout.holds).map(|(it, at)| (&it.select, at.select));
    let erasures = policy.erasures.iter().zip(&layout.erasures).map(|(it, at)| (&it.select, at.select));
    let mut all = Vec::new();
    for (select, at) in rules.clone().chain(holds.clone()).chain(erasures.clone()) {
        let selects: Vec<_> = select.except.iter().map(|exception| (exception, at)).collect();
        if !selects.is_empty() {
            all.push(Kin { of: Of::Exception, whole: Some(select), selects });
        }
    }
    all.push(Kin { of: Of::Rule, whole: None, selects: rules.collect() });
    all.push(Kin { of: Of::Hold, whole: None, selects: holds.collect() });
    all.push(Kin { of: Of::Erasure, whole: None, selects: erasures.collect() });
    all
}

/// Finds key patterns that end at one level.
pub(super) fn ends(findings: &mut Findings<'_>) {
    let read = findings.read;
    // What a rule itself selects so is seen to stay.
    for Kin { of, selects, .. } in kin(read).into_iter().filter(|kin| kin.of != Of::Rule) {
        for (select, at) in selects {
            let Some((key, below)) = select.key.as_ref().and_then(|key| Some((key, key.below()?))) else {
                continue;
            };
            // An exception of every key would leave nothing.
            if of == Of::Exception && below.pattern == "**" {
                continue;
            }
            let severity = if of == Of::Hold { Severity::Warning } else { Severity::Note };
            let message =
                format!("`{}` reaches one level: {} is not about `{}`", key.as_str(), of.this(), below.key);
            // What only begins alike may be another customer's, and an erasure would take it at once.
            let help = if of == Of::Erasure && !key.as_str().ends_with("/*") {
                "if what lies below is meant, name its directory, with `/**` behind it".to_owned()
            } else {
                format!("if all that lies below is meant, write `{}`", below.pattern)
            };
            findings.add(Code::OneLevel, severity, at, message).help(help);
        }
    }
}

/// Finds key patterns with a `**/` that miss keys for want of a directory there.
pub(super) fn directories(findings: &mut Findings<'_>, meetings: &mut Meetings<'_>) {
    let read = findings.read;
    for Kin { of, whole, selects } in kin(read) {
        for (select, at) in &selects {
            let Some((key, shallow)) = select.key.as_ref().and_then(|key| Some((key, key.shallow()?))) else {
                continue;
            };
            let (wider, help) = match shallow {
                Shallow::Instead(wider) => {
                    let help = format!("if such keys are meant too, write `{}`", wider.as_str());
                    (wider, help)
                }
                Shallow::Beside(other) => {
                    let text = other.as_str();
                    let help = format!("if such keys are meant too, write {} of `{text}`", of.another());
                    (other, help)
                }
            };
            // An exception of every key would leave nothing.
            if of == Of::Exception && wider.as_str() == "**" {
                continue;
            }
            let has_it =
                |other: &&Select| other.key.as_ref().is_some_and(|key| key.as_str() == wider.as_str());
            let others = selects.iter().map(|(other, _)| *other).filter(has_it);
            let reached: Vec<&Select> = others.chain([*select]).collect();
            let missed = Select { key: Some(wider), ..(*select).clone() };
            let meeting = match whole {
                // What it leaves out is not looked at, and so nothing that another exception reaches.
                Some(whole) => meetings.of(&[whole, &missed], &[]),
                None => meetings.of(&[&missed], &reached),
            };
            let Meeting::At(found) = meeting else { continue };
            let message = format!(
                "`{}` needs a directory where it has `**/`: {} is not about `{}`",
                key.as_str(),
                of.this(),
                found.key
            );
            findings.warn(Code::NeedsDirectory, *at, message).help(help);
        }
    }
}
