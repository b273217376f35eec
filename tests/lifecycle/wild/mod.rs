//! Configurations as found in the wild: whatever is done to ours, the rules of others come through unchanged, by
//! the reading of another XML reader than Shelflife's; or the bucket is refused and the reason named.

mod shapes;

use std::collections::BTreeSet;

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use shelflife::lifecycle::{LifecycleDocument, Merge, Target, altered, restore, retreat};
use shelflife::plan::{ProposalError, propose};

use super::*;
use shapes::{Expect, Shape, shapes};

/// A `<Rule>` as a list of what a reader meets in it, whatever the way to write it.
type Events = Vec<String>;

fn namespace(found: &ResolveResult<'_>) -> String {
    match found {
        ResolveResult::Bound(namespace) => String::from_utf8(namespace.into_inner().to_vec()).unwrap(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => panic!("unknown prefix {prefix:?}"),
    }
}

/// All rules of a document, in order.
fn rules(xml: &str) -> Vec<Events> {
    let mut reader = NsReader::from_str(xml.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut found) = (0, Vec::<Events>::new());
    // Text comes in pieces: references and CDATA are pieces of their own.
    let mut text = String::new();
    loop {
        let (resolved, event) = reader.read_resolved_event().unwrap();
        let resolved = namespace(&resolved);
        match &event {
            Event::Text(piece) => text += &piece.xml10_content().unwrap(),
            Event::CData(piece) => text += &piece.xml10_content().unwrap(),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().unwrap() {
                Some(character) => text.push(character),
                None => text += quick_xml::escape::resolve_xml_entity(&reference.decode().unwrap()).unwrap(),
            },
            _ => {
                let told = std::mem::take(&mut text);
                if depth >= 2 && !told.is_empty() {
                    found.last_mut().unwrap().push(format!("{told:?}"));
                }
            }
        }
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth == 2 {
                    found.push(Events::new());
                }
                let name = String::from_utf8(tag.local_name().into_inner().to_vec()).unwrap();
                let mut attributes: Vec<String> = tag
                    .attributes()
                    .map(Result::unwrap)
                    .filter(|attribute| attribute.key.as_namespace_binding().is_none())
                    .map(|attribute| {
                        let (space, local) = reader.resolver().resolve_attribute(attribute.key);
                        let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).unwrap();
                        format!("{}|{local:?}={value:?}", namespace(&space))
                    })
                    .collect();
                attributes.sort();
                if depth >= 2 {
                    found.last_mut().unwrap().push(format!("<{resolved}|{name} {attributes:?}"));
                }
            }
            Event::End(_) => {
                if depth >= 2 {
                    found.last_mut().unwrap().push(">".to_owned());
                }
                depth -= 1;
            }
            Event::Comment(comment) if depth >= 2 => {
                found.last_mut().unwrap().push(format!("<!--{}", comment.decode().unwrap()));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// The same with the rule's own `Prefix` in a `Filter`.
fn upgraded(rule: &Events) -> Events {
    let (mut depth, mut inside, mut events) = (0, false, Events::new());
    for event in rule {
        let is_start = event.starts_with('<') && !event.starts_with("<!--");
        if is_start && depth == 1 && event.ends_with("|Prefix []") {
            events.push(event.replace("|Prefix []", "|Filter []"));
            inside = true;
        }
        depth += i32::from(is_start);
        events.push(event.clone());
        if event == ">" {
            depth -= 1;
            if inside && depth == 1 {
                events.push(">".to_owned());
                inside = false;
            }
        }
    }
    events
}

fn days(days: u32) -> Policy {
    let mut media = rule("media", "in\r\nbound/");
    media.retain = Period::days(days);
    policy(chrono_tz::UTC, vec![media])
}

fn nothing() -> Policy {
    policy(chrono_tz::UTC, Vec::new())
}

fn proposed(xml: &str, policy: &Policy, upgrade: bool) -> Result<Merge, ProposalError> {
    propose(policy, &bucket(Versioning::Never), Some(xml), &Surroundings::NOTHING, upgrade, at(NOW))
        .map(|proposal| proposal.merge)
}

fn text(target: &Target) -> String {
    match target {
        Target::Put(document) => document.to_xml(),
        Target::Delete => "<LifecycleConfiguration/>".to_owned(),
    }
}

fn document_of(target: &Target) -> Option<&LifecycleDocument> {
    match target {
        Target::Put(document) => Some(document),
        Target::Delete => None,
    }
}

fn is_ours(rule: &Events) -> bool {
    rule.iter().any(|event| event.starts_with("\"shelflife:acme:media:") && event.len() == 35)
        && rule.iter().any(|event| event.contains("in\\r\\nbound/"))
}

/// Makes sure that everything which can be put in `before`'s place has the rules of others as they were.
#[track_caller]
fn keeps_others(merge: &Merge, before: &str, others: &[Events]) {
    let ids: BTreeSet<String> = merge.changes.iter().map(|change| change.id.clone()).collect();
    let (staged, after) = (document_of(&merge.staged), document_of(&merge.after));
    let found = LifecycleDocument::read(before).ok();
    let without = merge.without(&ids);
    for target in [
        merge.staged.clone(),
        merge.after.clone(),
        without.staged,
        without.after.clone(),
        retreat(staged, staged, found.as_ref(), "acme"),
        restore(after, staged, after, "acme"),
    ] {
        let mut left = rules(&text(&target));
        left.retain(|rule| !is_ours(rule));
        assert_eq!(left, others, "{}\n{before}", text(&target));
    }
    assert!(rules(&text(&without.after)).iter().all(|rule| !is_ours(rule)));
}

/// `xml` with `rule` as its first, right after the root's tag.
fn with_first(xml: &str, rule: &str) -> String {
    let root = xml.find("LifecycleConfiguration").unwrap();
    let at = root + xml[root..].find('>').unwrap() + 1;
    format!("{}{rule}{}", &xml[..at], &xml[at..])
}

/// Our rule's text at the end of `xml`.
fn last_rule(xml: &str) -> String {
    let root = xml.rfind("</").unwrap();
    let start =
        xml.rfind("<Rule><ID>shelflife:acme:").or_else(|| xml.rfind("<s3:Rule><s3:ID>shelflife:acme:"));
    xml[start.unwrap()..root].to_owned()
}

fn is_kept(shape: &Shape) {
    let Shape { xml, expect } = shape;
    let upgrade = *expect == Expect::Upgraded;
    let found = rules(xml);
    let others: Vec<Events> = if upgrade { found.iter().map(upgraded).collect() } else { found };
    if upgrade {
        let refused = proposed(xml, &days(30), false).expect_err(xml);
        assert!(matches!(refused, ProposalError::Merge(_)), "{refused:?}");
    }
    let added = proposed(xml, &days(30), upgrade).unwrap_or_else(|error| panic!("{error:?}\n{xml}"));
    keeps_others(&added, xml, &others);
    let with_ours = text(&added.after);
    assert_eq!(rules(&with_ours).iter().filter(|rule| is_ours(rule)).count(), 1, "{with_ours}");
    assert!(is_ours(rules(&with_ours).last().unwrap()));

    // Wherever it stands.
    for before in
        [with_ours.clone(), with_first(&text(&added.without(&ids_of(&added)).after), &last_rule(&with_ours))]
    {
        keeps_others(&proposed(&before, &nothing(), false).unwrap(), &before, &others);
        for other in [20, 40] {
            let replaced = proposed(&before, &days(other), false).unwrap();
            keeps_others(&replaced, &before, &others);
        }
        assert!(proposed(&before, &days(30), false).unwrap().is_unchanged(), "{before}");
    }
    // An old configuration in which nothing of ours stands is not touched at all.
    assert!(proposed(xml, &nothing(), false).unwrap().is_unchanged());
}

fn ids_of(merge: &Merge) -> BTreeSet<String> {
    merge.changes.iter().map(|change| change.id.clone()).collect()
}

#[test]
fn the_rules_of_others_come_through_unchanged_or_the_bucket_is_refused_with_the_reason() {
    let shapes = shapes();
    let mut kept = 0;
    for shape in &shapes {
        match shape.expect {
            Expect::Kept | Expect::Upgraded => {
                is_kept(shape);
                kept += 1;
            }
            Expect::Refused(why) => {
                let refused = proposed(&shape.xml, &days(30), true).expect_err(&shape.xml);
                let told = format!("{refused:?}");
                assert!(told.contains(why), "{told}\n{}", shape.xml);
            }
        }
    }
    assert!(kept >= 250, "{kept}");
}

#[test]
fn a_store_that_spoils_ours_alone_is_told_from_one_where_somebody_else_was_at_work() {
    let mut tried = 0;
    for shape in shapes().iter().filter(|shape| shape.expect == Expect::Kept) {
        let merge = proposed(&shape.xml, &days(30), false).unwrap();
        let Target::Put(written) = &merge.after else { panic!("there is a rule") };
        let ours = last_rule(&written.to_xml());
        let shown = |into: &str| LifecycleDocument::read(&written.to_xml().replace(&ours, into)).unwrap();
        assert_eq!(altered(written, Some(&shown(&ours)), "acme"), None);
        let sooner = ours.replace("Days>31<", "Days>3<").replace("Days>30<", "Days>3<");
        assert_ne!(sooner, ours);
        let renamed = ours.replace("shelflife:acme:", "rule-");
        for spoilt in [sooner.as_str(), renamed.as_str(), ""] {
            assert_eq!(altered(written, Some(&shown(spoilt)), "acme"), Some(ids_of(&merge)), "{spoilt}");
            // A rule that nobody wrote is somebody's.
            let theirs = with_first(&shown(spoilt).to_xml(), "<Rule><ID>between</ID></Rule>");
            if let Ok(theirs) = LifecycleDocument::read(&theirs) {
                assert_eq!(altered(written, Some(&theirs), "acme"), None);
            }
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried}");
}
