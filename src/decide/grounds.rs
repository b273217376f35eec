//! Grounds to keep an object that could be dispelled by reading, or cannot.

use super::decision::{Needs, Reason};

/// Grounds to keep an object, each with what could be read to dispel it.
#[derive(Default)]
pub struct Grounds {
    /// Each once.
    pub reasons: Vec<Reason>,
    needs: Needs,
    hopeless: bool,
}

impl Grounds {
    /// One reason, that these reads could dispel.
    pub fn add(&mut self, reason: Reason, needs: Needs) {
        self.add_together(vec![reason], needs);
    }

    /// Several reasons that one read could dispel all at once.
    pub fn add_together(&mut self, reasons: Vec<Reason>, needs: Needs) {
        for reason in reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self.needs = self.needs.and(needs);
        self.hopeless |= needs.is_none();
    }

    /// All of other grounds, as one.
    pub fn add_all(&mut self, other: Self) {
        if !other.reasons.is_empty() {
            let needs = other.needs();
            self.add_together(other.reasons, needs);
        }
    }

    /// Two sets of grounds, of which it is enough that one is dispelled.
    pub fn add_either(&mut self, one: Self, other: Self) {
        let needs = one.needs().and(other.needs());
        self.add_together([one.reasons, other.reasons].concat(), needs);
    }

    /// Where one ground is there for good, reading about the others is in vain.
    pub const fn needs(&self) -> Needs {
        if self.hopeless { Needs::NONE } else { self.needs }
    }
}
