//! From trees to raw parts: every value parsed on its own, nothing compared with another yet.
//!
//! Written by hand over the trees rather than derived, so that one run finds all faults and
//! each points at its own value. A part that is at fault is left out: one fault is enough
//! that no policy comes of it, so what is left is only searched for more faults.

mod case;
mod decoder;
mod exception;
mod fields;
mod guards;
mod leaf;
mod object;
mod policy;
mod raw;
mod rule;
mod select;
mod suggest;
mod trigger;
mod verbatim;

pub(super) use case::{RawCase, RawExpectation, RawRows, RawTableOf, Under, cases, extras};
pub(super) use object::object;
pub(super) use policy::document;
pub(super) use raw::{
    Raw, RawErasure, RawHold, RawInline, RawOverride, RawRule, RawSource, RawTable, RawTransition, RawTrigger,
};
pub(super) use suggest::closest;

/// The keys of every kind of mapping, by where the schema has it.
#[cfg(test)]
pub(super) fn keys_by_schema() -> Vec<(&'static str, Vec<&'static str>)> {
    let without = |keys: &fields::Keys, key: &str| {
        keys.known.iter().copied().filter(|known| *known != key).collect::<Vec<_>>()
    };
    let all = |keys: &fields::Keys| keys.known.to_vec();
    vec![
        ("", all(&policy::POLICY)),
        ("/properties/evidence", all(&policy::EVIDENCE)),
        ("/$defs/record-file", all(&policy::TABLE)),
        ("/$defs/rule", all(&rule::RULE)),
        ("/$defs/noncurrent", all(&rule::NONCURRENT)),
        ("/$defs/transition", all(&rule::TRANSITION)),
        ("/$defs/guards", all(&guards::POLICY_GUARDS)),
        ("/$defs/rule-guards", all(&guards::RULE_GUARDS)),
        ("/$defs/limits", all(&guards::PER_BUCKET)),
        ("/$defs/rule-select", all(&select::SELECT)),
        ("/$defs/select", all(&select::SELECT)),
        ("/$defs/erasure-select", all(&select::SELECT)),
        ("/$defs/exception", without(&select::SELECT, "except")),
        ("/$defs/size", all(&select::SIZE)),
        ("/$defs/term-body", all(&trigger::TRIGGER)),
        ("/$defs/trigger-body", without(&trigger::TRIGGER, "plus")),
        ("/$defs/tenant-source", all(&trigger::ATTRIBUTE)),
        ("/$defs/record-attribute", all(&trigger::ATTRIBUTE)),
        ("/$defs/within/anyOf/1", all(&trigger::WITHIN)),
        ("/$defs/override", all(&exception::OVERRIDE)),
        ("/$defs/condition", all(&exception::WHERE)),
        ("/$defs/erasure", all(&exception::ERASURE)),
        ("/$defs/hold", all(&exception::HOLD)),
    ]
}
