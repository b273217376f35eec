//! Triggers that compare the due dates of several terms, any of which may be unknown or absent.

use chrono::{DateTime, Utc};

use super::decision::Needs;
use super::outlook::{NEVER, Outlook};
use super::window::ANY_TIME;

/// The terms of a trigger as far as they are known, and what it means if all are absent.
pub struct Terms {
    /// What each leads to.
    pub seen: Vec<Outlook>,
    /// What the whole counts as where it is absent; `None` where the policy does not say.
    pub instead: Option<Outlook>,
    /// What is known of the whole where it is absent and the policy does not say.
    pub absent: Outlook,
    /// Whether that it is absent is for a larger trigger to deal with.
    pub is_term: bool,
}

impl Terms {
    /// Even a missing date does not come to lie before its window.
    fn whenever(&self) -> DateTime<Utc> {
        self.seen.iter().map(|term| term.earliest).min().unwrap_or(ANY_TIME)
    }

    /// The whole, where it is known to be absent.
    fn absent(&self, instead: Option<&Outlook>, earliest: DateTime<Utc>) -> Outlook {
        instead.cloned().unwrap_or_else(|| Outlook { earliest, ..self.absent.clone() })
    }

    /// Widens `whole`, as it is if it is present, by what it is if it is absent. Even a
    /// missing date does not come to lie before `whenever`.
    fn may_be_absent(&self, whole: &mut Outlook, instead: Option<&Outlook>, whenever: DateTime<Utc>) {
        match instead {
            Some(instead) => {
                whole.earliest = whole.earliest.min(instead.earliest);
                whole.latest = whole.latest.max(instead.latest);
            }
            None if self.is_term => whole.may_be_absent = true,
            None => {
                whole.earliest = whenever;
                whole.may_be_unknown = true;
            }
        }
    }

    /// What counts instead of a `latest` of which a term is absent. It does not come before the
    /// others: were the absent one there, the latest of them would not either.
    fn instead_beside(&self, present: &[&Outlook]) -> Option<Outlook> {
        let mut instead = self.instead.clone()?;
        let certain = present.iter().filter(|term| !term.may_be_absent);
        instead.earliest = certain.map(|term| term.earliest).fold(instead.earliest, Ord::max);
        if let Some(last) = present.iter().max_by_key(|term| term.latest)
            && last.latest > instead.latest
        {
            instead.latest = last.latest;
            instead.finding = last.finding.clone();
        }
        if instead.earliest != instead.latest {
            instead.needs = self.needs();
        }
        Some(instead)
    }

    fn needs(&self) -> Needs {
        self.seen.iter().fold(Needs::NONE, |needs, term| needs.and(term.needs))
    }
}

/// The earliest of several terms: absent ones are left out, one unknown makes the whole unknown.
pub fn earliest(terms: &Terms) -> Outlook {
    let present: Vec<&Outlook> = terms.seen.iter().filter(|term| !term.is_absent()).collect();
    let Some(first) = present.iter().min_by_key(|term| (term.earliest, term.latest)) else {
        return terms.absent(terms.instead.as_ref(), terms.whenever());
    };
    let certain = present.iter().filter(|term| !term.may_be_absent).map(|term| term.latest).min();
    // Where every term may turn out to be absent, the worst is any one alone, or none.
    let alone = || present.iter().map(|term| term.latest).max().unwrap_or(NEVER);
    let mut whole = Outlook {
        earliest: first.earliest,
        latest: certain.unwrap_or_else(alone),
        finding: first.finding.clone(),
        needs: terms.needs(),
        may_be_absent: false,
        may_be_unknown: false,
    };
    if certain.is_none() {
        terms.may_be_absent(&mut whole, terms.instead.as_ref(), terms.whenever());
    }
    all_must_be_known(&mut whole, &present);
    whole
}

/// The latest of several terms: one absent makes the whole absent, one unknown makes it unknown.
pub fn latest(terms: &Terms) -> Outlook {
    // Were an absent one there, the whole would still be no earlier than any of the others.
    let not_before = terms.seen.iter().map(|term| term.earliest).max().unwrap_or(ANY_TIME);
    let present: Vec<&Outlook> = terms.seen.iter().filter(|term| !term.is_absent()).collect();
    let instead = terms.instead_beside(&present);
    let Some(last) = present.iter().max_by_key(|term| (term.latest, term.earliest)) else {
        return terms.absent(instead.as_ref(), not_before);
    };
    let has_absent = present.len() < terms.seen.len();
    if has_absent && !present.iter().any(|term| term.may_be_unknown) {
        return terms.absent(instead.as_ref(), not_before);
    }
    let mut whole = Outlook {
        earliest: not_before,
        latest: last.latest,
        finding: last.finding.clone(),
        needs: terms.needs(),
        may_be_absent: false,
        may_be_unknown: false,
    };
    if has_absent {
        // Whatever the unknown ones are, nothing comes of them.
        whole = Outlook { needs: whole.needs, ..terms.absent(instead.as_ref(), not_before) };
    } else if present.iter().any(|term| term.may_be_absent) {
        terms.may_be_absent(&mut whole, instead.as_ref(), not_before);
    }
    all_must_be_known(&mut whole, &present);
    whole
}

/// Where one term is unknown the whole is; and which term counts is not known before all are.
fn all_must_be_known(whole: &mut Outlook, present: &[&Outlook]) {
    let unknown = present.iter().filter(|term| term.may_be_unknown);
    if let Some(unknown) = unknown.min_by_key(|term| !term.needs.is_none()) {
        whole.finding = unknown.finding.clone();
        whole.may_be_unknown = true;
        if unknown.needs.is_none() {
            // It is so for good, and with it the whole: reading the others is in vain.
            whole.needs = Needs::NONE;
        }
    } else if present.len() > 1
        && whole.earliest != whole.latest
        && let Some(open) = present.iter().find(|term| term.earliest != term.latest)
    {
        whole.finding = open.finding.clone();
    }
    if whole.may_be_unknown {
        whole.latest = NEVER;
    }
}

/// The first term that is not absent; one that is unknown is not stepped over.
pub fn first(terms: &Terms) -> Outlook {
    let mut whole: Option<Outlook> = None;
    let mut may_be_absent = true;
    let mut is_hopeless = false;
    for term in terms.seen.iter().filter(|term| !term.is_absent()) {
        let so_far = whole.get_or_insert_with(|| term.clone());
        so_far.earliest = so_far.earliest.min(term.earliest);
        so_far.latest = so_far.latest.max(term.latest);
        so_far.may_be_unknown |= term.may_be_unknown;
        if !is_hopeless {
            so_far.needs = so_far.needs.and(term.needs);
        }
        if !term.may_be_absent {
            may_be_absent = false;
            break;
        }
        // Nothing that is read further on settles one that is unknown for good.
        is_hopeless |= term.may_be_unknown && term.needs.is_none();
    }
    let Some(mut whole) = whole else {
        return terms.absent(terms.instead.as_ref(), terms.whenever());
    };
    whole.may_be_absent = false;
    if may_be_absent {
        terms.may_be_absent(&mut whole, terms.instead.as_ref(), terms.whenever());
    }
    if whole.may_be_unknown {
        whole.latest = NEVER;
    }
    whole
}
