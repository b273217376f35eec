//! Printing explanations, for people and for machines.

use serde_json::Value;

use super::super::context::Context;
use super::super::output::{self, Style};
use super::explaining::Explaining;
use super::{show, telling};
use crate::object::Observed;

/// Prints the explanation of each object.
pub fn print(context: &Context, explaining: &Explaining<'_>, objects: &[Observed<'_>]) {
    if context.json {
        let all: Vec<Value> = objects.iter().map(|object| explaining.json(object)).collect();
        output::print_json(&Value::from(all));
    } else {
        let all: Vec<String> = objects.iter().map(|object| explaining.text(object, context.out)).collect();
        output::print(&all.join("\n\n"));
    }
}

impl Explaining<'_> {
    /// The explanation for people.
    pub fn text(&self, object: &Observed<'_>, style: Style) -> String {
        show::text(self.policy.timezone, &telling::tell(self, object), style)
    }

    /// The explanation for machines.
    pub fn json(&self, object: &Observed<'_>) -> Value {
        // Text, numbers and dates always have a form in JSON.
        serde_json::to_value(telling::tell(self, object)).unwrap_or_default()
    }
}
