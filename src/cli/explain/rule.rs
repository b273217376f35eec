//! What one rule says of an object, step by step.

use chrono::{DateTime, Utc};

use super::told::{ToldLaw, ToldOverride, ToldRule, ToldStep};
use super::values::{Value, Values};
use super::words;
use crate::calendar::{Moment, Period};
use crate::decide::{Basis, Clock, Finding, Law, NEVER, Obscured, Outlook, RuleFinding, RuleView};
use crate::object::Unreadable;
use crate::policy::{Override, PriceClass, Rule, Source, Trigger};

/// Tells what the rule says, engines aside.
pub fn tell(values: Values<'_>, rule: &Rule, view: &RuleView) -> ToldRule {
    let mut told = ToldRule { rule: rule.id.clone(), data: rule.data.clone(), ..ToldRule::default() };
    let finding = match &view.view {
        Err(miss) => {
            told.certain = true;
            told.why = Some(words::miss(*miss).to_owned());
            return told;
        }
        Ok(finding) => finding,
    };
    told.covers = true;
    told.certain = finding.obscured.is_none();
    told.why = finding.obscured.map(why_perhaps);
    let over =
        |place: usize| values.policy.overrides.get(place).map(|over| tell_override(values, over, rule));
    if let Clock::Override(place) = finding.clock {
        told.overridden = over(place);
    }
    told.clock = clock(finding.clock).map(str::to_owned);
    told.might_apply = finding.might_apply.iter().filter_map(|place| over(*place)).collect();
    told.laws = finding.laws.iter().filter_map(|law| tell_law(values, law)).collect();
    if matches!(finding.clock, Clock::HidesVersions | Clock::KeptByNumber) {
        return told;
    }
    if matches!(finding.clock, Clock::Trigger | Clock::Override(_)) {
        told.combination = words::combination(values.policy, &rule.trigger);
    }
    tell_trigger(values, &rule.trigger, finding, &mut told);
    tell_dates(values, &rule.trigger, finding, &mut told);
    told
}

fn why_perhaps(obscured: Obscured) -> String {
    match obscured.why {
        Some(Unreadable::Denied) => "may cover it: what it selects by may not be read",
        Some(Unreadable::Failed) => "may cover it: what it selects by could not be read",
        Some(Unreadable::NotKept) => {
            "may cover it: uploads and delete markers do not show what it selects by"
        }
        Some(Unreadable::Unclear) => "may cover it: its key can be taken apart in several ways",
        None => "may cover it: what it selects by is not known",
    }
    .to_owned()
}

/// Why it is not simply the rule's period from its trigger; overrides aside.
const fn clock(clock: Clock) -> Option<&'static str> {
    match clock {
        Clock::Trigger | Clock::Override(_) => None,
        Clock::Superseded => Some("superseded: it counts from the creation of the next newer version"),
        Clock::Initiation => Some("an incomplete upload: it counts from its initiation"),
        Clock::KeptByNumber => Some("one of the newest superseded versions"),
        Clock::LoneMarker => Some("a delete marker, and nothing but these is left of its key: due at once"),
        Clock::HidesVersions => {
            Some("a delete marker, it hides versions: it goes once the versions below are gone")
        }
    }
}

fn tell_override(values: Values<'_>, over: &Override, rule: &Rule) -> ToldOverride {
    let price = over.price(rule);
    let in_words = if price == PriceClass::Free { "free of charge" } else { price.word() };
    let condition = over.condition.as_ref().map(|condition| words::condition(values.policy, condition));
    let mut text = format!("{} instead of {}, {in_words}", over.retain, rule.retain);
    for (lead, said) in [(", agreed in ", &over.agreement), (", as ", &over.legal_basis)] {
        if let Some(said) = said {
            text.push_str(lead);
            text.push_str(said);
            if lead == ", as " {
                text.push_str(" asks for");
            }
        }
    }
    if let Some(tenants) = &over.tenants {
        text.push_str(&format!(", for {}", tenants.join(", ")));
    }
    if let Some(condition) = &condition {
        text.push_str(&format!(", where {condition}"));
    }
    if let Some(until) = over.until {
        text.push_str(&format!(", through {until} in {}", values.policy.timezone));
    }
    ToldOverride {
        retain: over.retain.to_string(),
        instead_of: rule.retain.to_string(),
        price: price.word(),
        tenants: over.tenants.clone(),
        condition,
        agreement: over.agreement.clone(),
        legal_basis: over.legal_basis.clone(),
        until: over.until,
        text,
    }
}

fn tell_law(values: Values<'_>, law: &Law) -> Option<ToldLaw> {
    let over = values.policy.overrides.get(law.over)?;
    Some(ToldLaw {
        legal_basis: over.legal_basis.clone()?,
        certain: law.open.is_none(),
        until: law.outlook.due(),
    })
}

fn tell_trigger(values: Values<'_>, trigger: &Trigger, finding: &RuleFinding, told: &mut ToldRule) {
    let zone = values.policy.timezone;
    let found = &finding.outlook.finding;
    let date = |basis: &Basis| words::moment(basis.moment, zone);
    let mut text = match found {
        Finding::Known(basis) if basis.source == "uploaded" => format!("{}, the upload", date(basis)),
        Finding::Known(basis) => format!("{}, from {}", date(basis), basis.source),
        Finding::UploadedInstead(basis) => format!("{}, {}", date(basis), basis.source),
        Finding::Clamped(basis, why) => {
            format!("{}, {}, for the value itself {why}", date(basis), basis.source)
        }
        Finding::NotHappened => "has not happened".to_owned(),
        Finding::Unknown(why) => why.to_string(),
    };
    if let Some(basis) = found.basis() {
        told.trigger_date = Some(basis.moment.to_string());
        told.trigger_source = Some(basis.source.to_string());
        if let Finding::Known(_) = found {
            let (value, owner) = written(values, trigger, &basis.source);
            if let Some(owner) = owner {
                text.push_str(&format!(" of {owner}"));
            }
            if let Some(value) = value.as_ref().filter(|value| **value != basis.moment.to_string()) {
                text.push_str(&format!(", where it says \"{value}\""));
            }
            told.trigger_value = value;
        }
    }
    told.trigger = Some(text);
}

/// What is written at the source of this name, and whose row it is.
fn written(values: Values<'_>, trigger: &Trigger, source: &str) -> (Option<String>, Option<String>) {
    let leaf = words::leaves(trigger)
        .into_iter()
        .map(|(leaf, _)| &leaf.source)
        .find(|leaf| words::leaf(values.policy, leaf).as_deref() == Some(source));
    let known = |value: Option<Value<'_>>| match value {
        Some(Value::Known(text)) => Some(text.to_owned()),
        _ => None,
    };
    let owner = match leaf {
        Some(Source::Record { table, .. }) => known(Some(values.record_id(*table))),
        _ => None,
    };
    (leaf.and_then(|leaf| known(values.source(leaf))), owner)
}

fn tell_dates(values: Values<'_>, trigger: &Trigger, finding: &RuleFinding, told: &mut ToldRule) {
    let outlook = &finding.outlook;
    told.period = Some(finding.period.to_string()).filter(|_| finding.period != Period::default());
    told.due = outlook.due();
    let is_date = |at: &DateTime<Utc>| *at != NEVER && *at != DateTime::<Utc>::MIN_UTC;
    told.not_before = Some(outlook.earliest).filter(is_date);
    told.at_the_latest = Some(outlook.latest).filter(is_date);
    if finding.period == Period::default() {
        return;
    }
    let steps = outlook.due().and_then(|due| added_up(values, trigger, finding, due));
    told.steps = steps.unwrap_or_else(|| {
        vec![ToldStep { step: format!("+ {}", finding.period), gives: without_steps(outlook) }]
    });
}

fn without_steps(outlook: &Outlook) -> String {
    match outlook.due() {
        Some(due) => format!("due {} (the next midnight UTC)", words::instant(due)),
        None if outlook.latest == NEVER && outlook.earliest == DateTime::<Utc>::MIN_UTC => {
            "due date unknown".to_owned()
        }
        None if outlook.latest == NEVER && outlook.earliest == NEVER => "not due".to_owned(),
        None if outlook.latest == NEVER => format!("not due before {}", words::instant(outlook.earliest)),
        None => {
            format!("due between {} and {}", words::instant(outlook.earliest), words::instant(outlook.latest))
        }
    }
}

/// From the date to the due date, if that is how it was reached.
fn added_up(
    values: Values<'_>,
    trigger: &Trigger,
    finding: &RuleFinding,
    due: DateTime<Utc>,
) -> Option<Vec<ToldStep>> {
    let zone = values.policy.timezone;
    let basis = finding.outlook.finding.basis()?;
    let mut ways: Vec<Vec<Period>> = words::leaves(trigger)
        .into_iter()
        .filter(|(leaf, _)| words::leaf(values.policy, &leaf.source).as_deref() == Some(&basis.source))
        .map(|(_, plus)| plus)
        .collect();
    // What is clamped or missing has the name of no source.
    ways.push(Vec::new());
    ways.into_iter().find_map(|mut periods| {
        periods.push(finding.period);
        let mut moment = basis.moment;
        let mut steps = Vec::new();
        for period in periods {
            moment = moment.plus(period)?;
            steps.push(ToldStep { step: format!("+ {period}"), gives: words::moment(moment, zone) });
        }
        if moment.due(Period::default(), zone) != Some(due) {
            return None;
        }
        let end = match moment {
            Moment::Civil(_) => moment.end(zone).map(|end| format!(", which ends {}", words::instant(end))),
            Moment::Instant(_) => None,
        };
        if let (Some(last), Some(end)) = (steps.last_mut(), end) {
            last.gives.push_str(&end);
        }
        let gives = format!("{} (the next midnight UTC)", words::instant(due));
        steps.push(ToldStep { step: "due".to_owned(), gives });
        Some(steps)
    })
}
