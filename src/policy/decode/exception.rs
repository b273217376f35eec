//! Overrides, erasures and holds: what departs from a rule.

use super::decoder::Decoder;
use super::fields::Keys;
use super::raw::{Once, Raw, RawCondition, RawErasure, RawHold, RawOverride, Wanted};
use super::rule::LONGEST_ID;
use super::select::Of;
use crate::policy::codes::Code;
use crate::policy::yaml::{Entry, Node};

pub(super) const OVERRIDE: Keys = Keys {
    what: "an override",
    known: &["tenants", "where", "rule", "retain", "agreement", "legal-basis", "until"],
};

pub(super) const WHERE: Keys = Keys { what: "`where`", known: &["record", "is"] };

pub(super) const ERASURE: Keys = Keys { what: "an erasure", known: &["id", "reason", "select", "requested"] };

pub(super) const HOLD: Keys = Keys { what: "a hold", known: &["id", "reason", "select", "released"] };

impl Decoder<'_> {
    pub(super) fn over(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("overrides", node, &OVERRIDE) else { return };
        let tenants = fields.get("tenants").map(|e| {
            raw.wanted_tenants.push(Wanted { at: e.key_at, by: "an override" });
            self.tenants(e)
        });
        let condition = fields.get("where").map(|e| self.condition(e));
        if tenants.is_none() && condition.is_none() {
            self.faults
                .add(Code::MissingKey, fields.at, "an override needs `tenants` or `where`")
                .help("to change the period for everybody, change the rule");
        }
        let rule = self.need(&fields, "rule").and_then(|e| self.exact("rule", &e.value));
        let retain = self.need(&fields, "retain").and_then(|e| self.period("retain", &e.value));
        let mut reference = |key: &str| {
            fields
                .get(key)
                .map(|e| Once { at: e.key_at, value: self.exact(key, &e.value).map(|text| text.value) })
        };
        let agreement = reference("agreement");
        let legal_basis = reference("legal-basis");
        raw.overrides.push(RawOverride {
            at: fields.at,
            tenants,
            condition,
            rule,
            retain,
            agreement,
            legal_basis,
            until: fields.get("until").and_then(|e| self.date("until", &e.value)),
        });
    }

    fn condition(&mut self, entry: &Entry) -> Option<RawCondition> {
        let fields = self.fields("where", &entry.value, &WHERE)?;
        let field = self.need(&fields, "record").and_then(|e| self.record_field(e));
        let is = self.need(&fields, "is").map(|e| {
            let mut values: Vec<_> =
                self.one_or_more(e, Self::one_value).into_iter().map(|value| value.value).collect();
            values.sort();
            values.dedup();
            values
        });
        let (at, table, column) = field?;
        Some(RawCondition { at, table, column, is: is? })
    }

    pub(super) fn erasure(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("erasures", node, &ERASURE) else { return };
        let id = self.need(&fields, "id").and_then(|e| self.name("id", &e.value, LONGEST_ID));
        let reason = self.need(&fields, "reason").and_then(|e| self.text("reason", &e.value));
        let select = self.need(&fields, "select").and_then(|e| self.select(&e.value, raw, Of::Erasure));
        let requested = self.need(&fields, "requested").and_then(|e| self.date("requested", &e.value));
        raw.erasures.push(RawErasure { id, reason, select, requested });
    }

    pub(super) fn hold(&mut self, node: &Node, raw: &mut Raw) {
        let Some(fields) = self.fields("holds", node, &HOLD) else { return };
        let id = self.need(&fields, "id").and_then(|e| self.name("id", &e.value, LONGEST_ID));
        let reason = self.need(&fields, "reason").and_then(|e| self.text("reason", &e.value));
        let select = match fields.get("select") {
            Some(entry) => self.select(&entry.value, raw, Of::Hold),
            None => {
                self.selects_nothing(fields.at, Of::Hold);
                None
            }
        };
        let released = fields.get("released").and_then(|e| self.date("released", &e.value));
        raw.holds.push(RawHold { id, reason, select, released });
    }
}
