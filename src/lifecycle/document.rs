//! A bucket's lifecycle configuration, read so that what others own can be written back exactly.
//!
//! A rule that was read is kept as the text it was, beside a view of what was understood of it.
//! Since that text leans on the root's namespace declarations, those are kept too. Whatever
//! cannot be kept in this way makes the configuration unreadable: then it is not touched.

use super::owned::{self, OwnedRule};
use super::read;
use super::rule::{Form, RuleView, Status};
use super::xml::{self, Element, XmlError};

/// The namespace of S3's own documents.
const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Why a configuration cannot be kept exactly, so that Shelflife leaves the bucket alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Its XML cannot be understood exactly.
    #[error("the bucket's lifecycle configuration cannot be read exactly")]
    Xml(#[from] XmlError),
    /// The root is something else.
    #[error("the store answered with <{0}> instead of a lifecycle configuration")]
    Root(String),
    /// The root carries an attribute.
    #[error("the bucket's lifecycle configuration carries the attribute `{0}`, whose meaning is unknown")]
    Attribute(String),
    /// Beside the rules stands something else.
    #[error("beside its rules the bucket's lifecycle configuration has {0}, whose meaning is unknown")]
    Content(String),
    /// A rule that an upgrade could change.
    #[error("the lifecycle rule {0:?} cannot be upgraded to the form with a Filter without changing it")]
    Upgrade(String),
}

/// A bucket's lifecycle configuration.
#[derive(Clone, Debug)]
pub struct LifecycleDocument {
    /// Namespace prefix of the root, with its colon, or empty.
    prefix: String,
    /// The root's namespace declarations.
    declarations: String,
    rules: Vec<DocumentRule>,
}

/// A rule in a configuration.
#[derive(Clone, Debug)]
pub struct DocumentRule {
    view: RuleView,
    text: Text,
}

#[derive(Clone, Debug)]
enum Text {
    /// As it stood in the document that was read.
    AsFound(String),
    Ours(OwnedRule),
}

impl DocumentRule {
    /// What is understood of it.
    pub fn view(&self) -> &RuleView {
        &self.view
    }

    /// Its id, or empty.
    pub fn id(&self) -> &str {
        self.view.id.as_deref().unwrap_or_default()
    }

    /// The rule of the policy `name` that it carries out, if that policy owns it.
    pub fn policy_rule(&self, name: &str) -> Option<String> {
        owned::policy_rule_of(self.id(), name)
    }

    pub(super) fn ours(rule: &OwnedRule, status: Status) -> Self {
        Self { view: rule.view(status), text: Text::Ours(rule.clone()) }
    }
}

impl Default for LifecycleDocument {
    /// One without any rule yet.
    fn default() -> Self {
        Self { prefix: String::new(), declarations: format!(" xmlns=\"{S3_NAMESPACE}\""), rules: Vec::new() }
    }
}

impl LifecycleDocument {
    /// Reads what the store answered.
    pub fn read(text: &str) -> Result<Self, DocumentError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root = xml::parse(text)?;
        if root.name != "LifecycleConfiguration" {
            return Err(DocumentError::Root(root.name));
        }
        if let Some((name, _)) = root.attributes.first() {
            return Err(DocumentError::Attribute(name.clone()));
        }
        if !root.text.trim().is_empty() {
            return Err(DocumentError::Content("text".to_owned()));
        }
        let home = root.namespace.as_str();
        let rules = root.children.iter().map(|element| {
            if element.name != "Rule" || element.namespace != home {
                return Err(DocumentError::Content(format!("<{}>", element.name)));
            }
            let found = text[element.range.clone()].to_owned();
            Ok(DocumentRule { view: read::rule(element, home), text: Text::AsFound(found) })
        });
        let rules = rules.collect::<Result<_, _>>()?;
        Ok(Self { prefix: root.prefix, declarations: root.declarations, rules })
    }

    /// Its rules, in their order.
    pub fn rules(&self) -> &[DocumentRule] {
        &self.rules
    }

    /// Whether any rule has the old form, a `Prefix` of its own. S3 then refuses rules with a
    /// `Filter` beside it.
    pub fn is_v1(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.view.form, Form::Prefix | Form::Both))
    }

    /// The same configuration in the new form: each rule's `Prefix` stands in a `Filter`.
    /// Nothing else changes.
    pub fn upgraded(&self) -> Result<Self, DocumentError> {
        let mut upgraded = self.clone();
        for rule in &mut upgraded.rules {
            if let (Text::AsFound(found), Form::Prefix) = (&rule.text, rule.view.form) {
                rule.text = Text::AsFound(self.with_filter(found)?);
            }
        }
        let read = Self::read(&upgraded.to_xml())?;
        let changed = |(old, new): (&DocumentRule, &DocumentRule)| {
            let kept = old.view.id == new.view.id
                && old.view.status == new.view.status
                && old.view.same_content(&new.view)
                && !matches!(new.view.form, Form::Prefix | Form::Both);
            (!kept).then(|| old.id().to_owned())
        };
        match self.rules.iter().zip(&read.rules).find_map(changed) {
            Some(id) => Err(DocumentError::Upgrade(id)),
            None => Ok(read),
        }
    }

    /// Wraps the `Prefix` element of a rule in a `Filter`.
    fn with_filter(&self, rule: &str) -> Result<String, DocumentError> {
        let head = self.head();
        let element = xml::parse(&format!("{head}{rule}</{}LifecycleConfiguration>", self.prefix))?;
        let mut text = rule.to_owned();
        let inner: Vec<&Element> = element.children.iter().flat_map(|rule| &rule.children).collect();
        let is_prefix = |child: &&&Element| child.name == "Prefix" && child.namespace == element.namespace;
        for prefix in inner.iter().filter(is_prefix).rev() {
            let (start, end) = (prefix.range.start - head.len(), prefix.range.end - head.len());
            text.insert_str(end, &format!("</{}Filter>", self.prefix));
            text.insert_str(start, &format!("<{}Filter>", self.prefix));
        }
        Ok(text)
    }

    fn head(&self) -> String {
        format!("<{}LifecycleConfiguration{}>", self.prefix, self.declarations)
    }

    /// As XML. Rules that were read stand there exactly as they were found.
    pub fn to_xml(&self) -> String {
        let mut text = self.head();
        for rule in &self.rules {
            match &rule.text {
                Text::AsFound(found) => text.push_str(found),
                Text::Ours(ours) => text.push_str(&ours.to_xml(&self.prefix, &rule.view.status)),
            }
        }
        text.push_str(&format!("</{}LifecycleConfiguration>", self.prefix));
        text
    }

    pub(super) fn with_rules(&self, rules: Vec<DocumentRule>) -> Self {
        Self { rules, ..self.clone() }
    }
}
