//! What other stores make of a lifecycle configuration that they are given, each seen in one that says it
//! speaks S3: they drop what they do not know, write it another way, or refuse what S3 takes.

use super::refusal::Refusal;
use super::xml::Element;

/// One way in which a store departs from S3 where a lifecycle configuration is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Tags are dropped from filters.
    DropTags,
    /// Size bounds are dropped from filters.
    DropSizes,
    /// `NewerNoncurrentVersions` is dropped.
    DropNewerVersions,
    /// `ExpiredObjectDeleteMarker` is dropped.
    DropMarkers,
    /// `AbortIncompleteMultipartUpload` is dropped.
    DropAbort,
    /// Prefixes are dropped, so that every rule is one of the whole bucket.
    DropPrefixes,
    /// Ids are dropped.
    DropIds,
    /// Rules get other ids.
    RenameIds,
    /// `Enabled` and `Disabled` are written in lower case, and mean the same.
    LowercaseStatus,
    /// Every rule runs, whatever its status.
    IgnoreDisabled,
    /// A filter of one condition becomes an `And` of one, and the other way round.
    RewriteAnd,
    /// Filters by prefix alone are written in the old form.
    OldForm,
    /// Rules come in another order.
    Reorder,
    /// `MalformedXML` for a rule with a `Filter`.
    RefuseFilter,
    /// `MalformedXML` for an empty `Prefix`.
    RefuseEmptyPrefix,
}

impl Quirk {
    /// Refuses what this store does not take.
    pub(super) fn check(self, document: &Element) -> Result<(), Refusal> {
        let is_refused = match self {
            Self::RefuseFilter => document.all("Rule").any(|rule| rule.get("Filter").is_some()),
            Self::RefuseEmptyPrefix => holds_empty_prefix(document),
            _ => false,
        };
        if is_refused { Err(Refusal::malformed_xml()) } else { Ok(()) }
    }

    /// Makes of an accepted document what this store makes of it.
    pub(super) fn alter(self, document: &mut Element) {
        match self {
            Self::DropTags => drop_all(document, &["Tag"]),
            Self::DropSizes => drop_all(document, &["ObjectSizeGreaterThan", "ObjectSizeLessThan"]),
            Self::DropNewerVersions => drop_all(document, &["NewerNoncurrentVersions"]),
            Self::DropMarkers => drop_all(document, &["ExpiredObjectDeleteMarker"]),
            Self::DropAbort => drop_all(document, &["AbortIncompleteMultipartUpload"]),
            Self::DropPrefixes => drop_all(document, &["Prefix"]),
            Self::DropIds => drop_all(document, &["ID"]),
            Self::RenameIds => {
                for (at, rule) in document.children.iter_mut().enumerate() {
                    each(rule, "ID", |id| id.text = format!("rule-{at}"));
                }
            }
            Self::LowercaseStatus => in_rules(document, "Status", |it| it.text = it.text.to_lowercase()),
            Self::IgnoreDisabled => in_rules(document, "Status", |it| "Enabled".clone_into(&mut it.text)),
            Self::RewriteAnd => in_rules(document, "Filter", rewrite_and),
            Self::OldForm => in_rules(document, "Filter", |filter| {
                if let [prefix] = filter.children.as_slice()
                    && prefix.name == "Prefix"
                {
                    *filter = prefix.clone();
                }
            }),
            Self::Reorder => document.children.reverse(),
            Self::RefuseFilter | Self::RefuseEmptyPrefix => {}
        }
    }
}

fn holds_empty_prefix(element: &Element) -> bool {
    (element.name == "Prefix" && element.text.is_empty()) || element.children.iter().any(holds_empty_prefix)
}

fn drop_all(element: &mut Element, names: &[&str]) {
    element.children.retain(|child| !names.contains(&child.name.as_str()));
    element.children.iter_mut().for_each(|child| drop_all(child, names));
}

fn each(rule: &mut Element, name: &str, mut change: impl FnMut(&mut Element)) {
    rule.children.iter_mut().filter(|child| child.name == name).for_each(&mut change);
}

fn in_rules(document: &mut Element, name: &str, change: impl Fn(&mut Element)) {
    document.children.iter_mut().for_each(|rule| each(rule, name, &change));
}

fn rewrite_and(filter: &mut Element) {
    match filter.children.as_mut_slice() {
        [and] if and.name == "And" && and.children.len() == 1 => filter.children = and.children.clone(),
        [one] if one.name != "And" => {
            let mut and = Element::new("And");
            and.children.push(one.clone());
            *one = and;
        }
        _ => {}
    }
}
