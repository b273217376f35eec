//! From an element of a configuration to a rule as S3 understands it.
//!
//! Nothing is guessed and nothing is dropped: an element, attribute or text that is not known
//! goes to [`RuleView::unknown`], one that is known and wrong to [`RuleView::faults`].

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::rule::{
    Expiration, Filter, Form, NoncurrentExpiration, NoncurrentTransition, RuleView, Status, Transition, When,
};
use super::xml::Element;

/// Reads a `<Rule>`; `home` is the namespace of the configuration.
pub(super) fn rule(element: &Element, home: &str) -> RuleView {
    Reader { home, unknown: Vec::new(), faults: Vec::new() }.rule(element)
}

struct Reader<'h> {
    home: &'h str,
    unknown: Vec<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn rule(mut self, element: &Element) -> RuleView {
        let mut id = None;
        let mut status = None;
        let mut prefix = None;
        let mut filter = None;
        let mut expiration = None;
        let mut noncurrent = None;
        let mut abort_days = None;
        let mut transitions = Vec::new();
        let mut noncurrent_transitions = Vec::new();
        for child in self.children(element) {
            match child.name.as_str() {
                "ID" => {
                    let text = self.text(child);
                    self.once(&mut id, text, child);
                }
                "Status" => {
                    let text = self.text(child).trim().to_owned();
                    self.once(&mut status, text, child);
                }
                "Prefix" => {
                    let text = self.text(child);
                    self.once(&mut prefix, text, child);
                }
                "Filter" => {
                    let read = self.filter(child);
                    self.once(&mut filter, read, child);
                }
                "Expiration" => {
                    let read = self.expiration(child);
                    self.once(&mut expiration, read, child);
                }
                "NoncurrentVersionExpiration" => {
                    let read = self.noncurrent(child);
                    self.once(&mut noncurrent, read, child);
                }
                "AbortIncompleteMultipartUpload" => {
                    let mut days = None;
                    for field in self.children(child) {
                        match field.name.as_str() {
                            "DaysAfterInitiation" => self.number(&mut days, field),
                            _ => self.unknown(child, field),
                        }
                    }
                    if days.is_none() {
                        self.faults.push("AbortIncompleteMultipartUpload without days".to_owned());
                    }
                    self.once(&mut abort_days, days, child);
                }
                "Transition" => transitions.push(self.transition(child)),
                "NoncurrentVersionTransition" => {
                    noncurrent_transitions.push(self.noncurrent_transition(child));
                }
                _ => self.unknown(element, child),
            }
        }
        let form = match (&prefix, &filter) {
            (None, None) => Form::Neither,
            (Some(_), None) => Form::Prefix,
            (None, Some((form, _))) => *form,
            (Some(own), Some((_, filter))) => {
                // Stores that write both write the same; else nobody knows which of them counts.
                if *own != filter.prefix {
                    self.faults.push(format!("its Prefix {own:?} is not that of its Filter"));
                }
                Form::Both
            }
        };
        let filter = match (prefix, filter) {
            (Some(prefix), None) => Filter { prefix, ..Filter::default() },
            (_, filter) => filter.map(|(_, filter)| filter).unwrap_or_default(),
        };
        let status = match status.as_deref() {
            Some("Enabled") => Status::Enabled,
            Some("Disabled") => Status::Disabled,
            other => Status::Other(other.unwrap_or_default().to_owned()),
        };
        transitions.sort();
        noncurrent_transitions.sort();
        self.unknown.sort();
        self.faults.sort();
        RuleView {
            id: id.filter(|id| !id.is_empty()),
            status,
            form,
            filter,
            expiration,
            noncurrent,
            abort_days: abort_days.flatten(),
            transitions,
            noncurrent_transitions,
            unknown: self.unknown,
            faults: self.faults,
        }
    }

    fn filter(&mut self, element: &Element) -> (Form, Filter) {
        let mut filter = Conditions::default();
        let mut and = None;
        let members = element.children.len();
        for child in self.children(element) {
            if child.name == "And" {
                for condition in self.children(child) {
                    self.condition(&mut filter, child, condition);
                }
                self.once(&mut and, child.children.len(), child);
            } else {
                self.condition(&mut filter, element, child);
            }
        }
        filter.tags.sort();
        let Conditions { prefix, tags, size_over, size_under } = filter;
        let filter = Filter { prefix: prefix.unwrap_or_default(), tags, size_over, size_under };
        (Form::Filter { members, and }, filter)
    }

    fn condition(&mut self, filter: &mut Conditions, parent: &Element, element: &Element) {
        match element.name.as_str() {
            "Prefix" => {
                let text = self.text(element);
                self.once(&mut filter.prefix, text, element);
            }
            "Tag" => {
                let (mut key, mut value) = (None, None);
                for child in self.children(element) {
                    let text = self.text(child);
                    match child.name.as_str() {
                        "Key" => self.once(&mut key, text, child),
                        "Value" => self.once(&mut value, text, child),
                        _ => self.unknown(element, child),
                    }
                }
                if key.is_none() {
                    self.faults.push("a Tag without a Key".to_owned());
                }
                filter.tags.push((key.unwrap_or_default(), value.unwrap_or_default()));
            }
            "ObjectSizeGreaterThan" => self.number(&mut filter.size_over, element),
            "ObjectSizeLessThan" => self.number(&mut filter.size_under, element),
            _ => self.unknown(parent, element),
        }
    }

    fn expiration(&mut self, element: &Element) -> Expiration {
        let mut expiration = Expiration::default();
        let mut markers = None;
        for child in self.children(element) {
            match child.name.as_str() {
                "Days" => self.number(&mut expiration.days, child),
                "Date" => self.date(&mut expiration.date, child),
                "ExpiredObjectDeleteMarker" => {
                    let text = self.text(child);
                    let value = match text.trim().to_ascii_lowercase().as_str() {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => {
                            self.faults
                                .push("ExpiredObjectDeleteMarker is neither true nor false".to_owned());
                            false
                        }
                    };
                    self.once(&mut markers, value, child);
                }
                _ => self.unknown(element, child),
            }
        }
        if expiration == Expiration::default() && markers.is_none() && element.children.is_empty() {
            self.faults.push("Expiration says nothing".to_owned());
        }
        expiration.markers = markers.unwrap_or(false);
        expiration
    }

    fn noncurrent(&mut self, element: &Element) -> NoncurrentExpiration {
        let (mut days, mut newer) = (None, None);
        for child in self.children(element) {
            match child.name.as_str() {
                "NoncurrentDays" => self.number(&mut days, child),
                "NewerNoncurrentVersions" => self.number(&mut newer, child),
                _ => self.unknown(element, child),
            }
        }
        NoncurrentExpiration { days, newer: newer.unwrap_or(0) }
    }

    fn transition(&mut self, element: &Element) -> Transition {
        let (mut days, mut date, mut class) = (None, None, None);
        for child in self.children(element) {
            match child.name.as_str() {
                "Days" => self.number(&mut days, child),
                "Date" => self.date(&mut date, child),
                "StorageClass" => {
                    let text = self.text(child).trim().to_owned();
                    self.once(&mut class, text, child);
                }
                _ => self.unknown(element, child),
            }
        }
        if days.is_some() && date.is_some() {
            self.faults.push("a Transition with both Days and Date".to_owned());
        }
        let when = days.map(When::Days).or(date.map(When::Date));
        Transition { when, class: class.unwrap_or_default() }
    }

    fn noncurrent_transition(&mut self, element: &Element) -> NoncurrentTransition {
        let (mut days, mut newer, mut class) = (None, None, None);
        for child in self.children(element) {
            match child.name.as_str() {
                "NoncurrentDays" => self.number(&mut days, child),
                "NewerNoncurrentVersions" => self.number(&mut newer, child),
                "StorageClass" => {
                    let text = self.text(child).trim().to_owned();
                    self.once(&mut class, text, child);
                }
                _ => self.unknown(element, child),
            }
        }
        NoncurrentTransition { days, newer: newer.unwrap_or(0), class: class.unwrap_or_default() }
    }

    /// The children of an element that holds nothing but elements.
    fn children<'e>(&mut self, element: &'e Element) -> Vec<&'e Element> {
        self.attributes(element);
        if !element.text.trim().is_empty() {
            self.unknown.push(format!("{}: text {:?}", element.name, element.text.trim()));
        }
        let (known, foreign): (Vec<_>, Vec<_>) =
            element.children.iter().partition(|child| self.is_home(child));
        for child in foreign {
            self.unknown(element, child);
        }
        known
    }

    /// The text of an element that holds nothing but text, exactly as it is.
    fn text(&mut self, element: &Element) -> String {
        self.attributes(element);
        for child in &element.children {
            self.unknown(element, child);
        }
        element.text.clone()
    }

    fn attributes(&mut self, element: &Element) {
        for (name, value) in &element.attributes {
            self.unknown.push(format!("{}: attribute {name}={value:?}", element.name));
        }
    }

    fn number(&mut self, into: &mut Option<i64>, element: &Element) {
        let text = self.text(element);
        match text.trim().parse() {
            Ok(number) => self.once(into, number, element),
            Err(_) => self.faults.push(format!("{} is {:?}, which is no number", element.name, text)),
        }
    }

    fn date(&mut self, into: &mut Option<DateTime<Utc>>, element: &Element) {
        let text = self.text(element);
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let instant = DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.with_timezone(&Utc));
        match instant.or_else(|| Some(day(text.trim())?.and_time(NaiveTime::MIN).and_utc())) {
            Some(date) => self.once(into, date, element),
            None => self.faults.push(format!("{} is {:?}, which is no date", element.name, text)),
        }
    }

    fn once<T>(&mut self, into: &mut Option<T>, value: T, element: &Element) {
        if into.is_some() {
            self.faults.push(format!("{} stands twice", element.name));
        } else {
            *into = Some(value);
        }
    }

    fn unknown(&mut self, parent: &Element, element: &Element) {
        self.unknown.push(format!("{}: {}", parent.name, element.canonical(self.home)));
    }

    fn is_home(&self, element: &Element) -> bool {
        element.namespace == self.home
    }
}

#[derive(Default)]
struct Conditions {
    prefix: Option<String>,
    tags: Vec<(String, String)>,
    size_over: Option<i64>,
    size_under: Option<i64>,
}
