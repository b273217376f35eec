//! What the records say of an object.

use super::attribute::{self, Value};
use super::context::Context;
use super::decision::{Needs, Unknown};
use super::tenant::Supposed;
use crate::policy::By;
use crate::records::{Lookup, NoValue};

/// A field of the object's row.
pub enum Field<'a> {
    /// It holds this text.
    Known(&'a str),
    /// It is there and empty.
    Absent,
    /// It cannot be known, or which row is the object's has not been read.
    Unknown {
        /// Why.
        why: Unknown,
        /// What reading would help.
        needs: Needs,
    },
}

/// Looks up `column` of the object's row in the policy's table at index `table`.
pub fn field<'a>(context: Context<'a>, table: usize, column: &str) -> Field<'a> {
    let unknown = |why| Field::Unknown { why, needs: Needs::NONE };
    let Some(spec) = context.policy.tables.get(table) else {
        return unknown(Unknown::Record(NoValue::Unusable));
    };
    let id = match &spec.by {
        By::Tenant => match context.tenant {
            Supposed::Tenant(tenant) => tenant,
            // What the records say of a tenant that nobody has read is not known either.
            Supposed::Nobody | Supposed::Stranger => return unknown(Unknown::NoRecordId),
        },
        By::Attribute(attribute) => match attribute::read(attribute, "id", context.object) {
            Value::Known(id) => id,
            Value::Absent => return unknown(Unknown::NoRecordId),
            Value::Unread(needs) => return Field::Unknown { why: Unknown::Unread, needs },
            Value::Unknown(why) => return unknown(Unknown::Unreadable(why)),
        },
    };
    match context.records.lookup(table, id, column) {
        Lookup::Known(text) => Field::Known(text),
        Lookup::Absent => Field::Absent,
        Lookup::Unknown(why) => unknown(Unknown::Record(why)),
    }
}
