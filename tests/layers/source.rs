//! One Rust file as text: the paths it names, the items it defines, the modules it declares for tests.
//!
//! Strings, comments and everything under `#[cfg(test)]` are left out. It reads tokens, not grammar, which
//! is enough for paths and keeps the check free of a parser that has to follow the language.

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    PathSeparator,
    Other(char),
}

/// A path as it is written, such as `super::model::Rule`; a glob ends in `*`.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub path: Vec<String>,
    /// The name that a `use` brings into scope; `None` for a path in an expression or a type.
    pub imported_as: Option<String>,
    /// Whether it is a `pub use`, `pub(crate) use` and the like.
    pub reexported: bool,
    /// The modules written inline around it, the outermost first.
    pub inside: Vec<String>,
}

/// What one file says, without its tests.
#[derive(Debug, Default)]
pub struct Source {
    pub named: Vec<Named>,
    /// Names of items at the top of the file.
    pub defined: Vec<String>,
    /// Macros called, without the `!`.
    pub macros: Vec<String>,
    /// Modules in files of their own that are compiled for tests only.
    pub test_modules: Vec<String>,
    /// Lines before the tests at the end of the file.
    pub lines: usize,
    pub begins_with_module_doc: bool,
}

pub fn read(text: &str) -> Source {
    let mut source = Source {
        lines: lines_before_tests(text),
        begins_with_module_doc: text.starts_with("//! "),
        ..Source::default()
    };
    let tokens = without_tests(&tokens(text), &mut source.test_modules);
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Other('{') => depth += 1,
            Token::Other('}') => {
                depth -= 1;
                inside.pop_if(|(_, opened_at)| *opened_at == depth);
            }
            Token::Word(word) if word == "use" => {
                let mut tree =
                    Tree { tokens: &tokens, reexported: follows_pub(&tokens, at), ..Tree::default() };
                at = tree.read(at + 1, Vec::new(), true);
                tree.finish(&inside, &mut source.named);
                continue;
            }
            Token::Word(word) if word == "mod" && tokens.get(at + 2) == Some(&Token::Other('{')) => {
                inside.push((word_at(&tokens, at + 1).unwrap_or_default().to_owned(), depth));
            }
            Token::Word(_) if tokens.get(at + 1) == Some(&Token::PathSeparator) => {
                let mut tree = Tree { tokens: &tokens, ..Tree::default() };
                at = tree.read(at, Vec::new(), false);
                tree.finish(&inside, &mut source.named);
                continue;
            }
            Token::Word(word) if tokens.get(at + 1) == Some(&Token::Other('!')) => {
                source.macros.push(word.clone());
            }
            Token::Word(word) if depth == 0 && DEFINING.contains(&word.as_str()) => {
                source.defined.extend(word_at(&tokens, at + 1).map(str::to_owned));
            }
            _ => {}
        }
        at += 1;
    }
    source
}

const DEFINING: [&str; 8] = ["struct", "enum", "union", "fn", "trait", "type", "const", "static"];

fn word_at(tokens: &[Token], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    }
}

fn follows_pub(tokens: &[Token], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| *token == Token::Word("pub".into()));
    before.is_some_and(|publish| match &tokens[publish + 1..at] {
        [] => true,
        [Token::Other('('), .., Token::Other(')')] => !tokens[publish..at].contains(&Token::Other(';')),
        _ => false,
    })
}

/// A path or the tree of a `use`, which is taken apart into its paths.
#[derive(Default)]
struct Tree<'a> {
    tokens: &'a [Token],
    reexported: bool,
    found: Vec<(Vec<String>, Option<String>)>,
}

impl Tree<'_> {
    /// Reads from `at` on, below `prefix`, and returns where the path or tree ends.
    fn read(&mut self, mut at: usize, prefix: Vec<String>, importing: bool) -> usize {
        let mut path = prefix;
        loop {
            match self.tokens.get(at) {
                Some(Token::Word(word)) => {
                    // `self` in a group stands for what the group belongs to.
                    if word != "self" || path.is_empty() {
                        path.push(word.clone());
                    }
                    at += 1;
                    if self.tokens.get(at) != Some(&Token::PathSeparator) {
                        break;
                    }
                    at += 1;
                }
                Some(Token::PathSeparator) => at += 1,
                Some(Token::Other('*')) if importing => {
                    path.push("*".into());
                    at += 1;
                    break;
                }
                Some(Token::Other('{')) if importing => {
                    at += 1;
                    while !matches!(self.tokens.get(at), Some(Token::Other('}')) | None) {
                        at = self.read(at, path.clone(), true);
                        if self.tokens.get(at) == Some(&Token::Other(',')) {
                            at += 1;
                        }
                    }
                    return at + 1;
                }
                // A turbofish or the end of the input: what stands before it is the path.
                _ => break,
            }
        }
        let mut name = path.last().cloned().filter(|_| importing);
        if importing && word_at(self.tokens, at) == Some("as") {
            name = word_at(self.tokens, at + 1).map(str::to_owned);
            at += 2;
        }
        self.found.push((path, name));
        at
    }

    fn finish(self, inside: &[(String, usize)], named: &mut Vec<Named>) {
        let inside: Vec<String> = inside.iter().map(|(name, _)| name.clone()).collect();
        named.extend(self.found.into_iter().map(|(path, imported_as)| Named {
            path,
            imported_as,
            reexported: self.reexported,
            inside: inside.clone(),
        }));
    }
}

fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines.windows(2).position(|pair| {
        pair[0].starts_with("#[cfg(test)]") && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    tail.unwrap_or(lines.len())
}

/// Drops each item under an attribute like `#[cfg(test)]`, and everything if the file itself is under one.
fn without_tests(tokens: &[Token], test_modules: &mut Vec<String>) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let inner = usize::from(tokens.get(at + 1) == Some(&Token::Other('!')));
        let opens = tokens[at] == Token::Other('#') && tokens.get(at + 1 + inner) == Some(&Token::Other('['));
        if !opens {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let end = end_of_group(tokens, at + 1 + inner);
        let attribute = &tokens[at..end];
        let words: Vec<&str> = (0..attribute.len()).filter_map(|at| word_at(attribute, at)).collect();
        if words.first() != Some(&"cfg") || !words.contains(&"test") || words.contains(&"not") {
            kept.extend_from_slice(attribute);
            at = end;
        } else if inner == 1 {
            return Vec::new();
        } else {
            let item_end = end_of_item(tokens, end);
            let item = &tokens[end..item_end];
            if let Some(name) = declared_module(item) {
                test_modules.push(name);
            }
            at = item_end;
        }
    }
    kept
}

fn declared_module(item: &[Token]) -> Option<String> {
    let [.., Token::Word(keyword), Token::Word(name), Token::Other(';')] = item else { return None };
    (keyword == "mod").then(|| name.clone())
}

/// The position after the bracket that closes the one at `open`.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (offset, token) in tokens[open..].iter().enumerate() {
        match token {
            Token::Other('(' | '[' | '{') => depth += 1,
            Token::Other(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    tokens.len()
}

/// The position after the item at `at`: its semicolon or its body, whichever comes first.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at] {
            Token::Other(';') => return at + 1,
            Token::Other('{') => return end_of_group(tokens, at),
            Token::Other('(' | '[') => at = end_of_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = after_block_comment(rest);
        } else if let Some(after) = after_string(rest) {
            rest = after;
        } else if first == '\'' {
            rest = after_quote(rest);
        } else if let Some(after) = rest.strip_prefix("::") {
            found.push(Token::PathSeparator);
            rest = after;
        } else if is_word(first) {
            let unraw = rest.strip_prefix("r#").unwrap_or(rest);
            let end = unraw.find(|letter| !is_word(letter)).unwrap_or(unraw.len());
            found.push(Token::Word(unraw[..end].to_owned()));
            rest = &unraw[end..];
        } else {
            if !first.is_whitespace() {
                found.push(Token::Other(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn after_block_comment(text: &str) -> &str {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    ""
}

/// What follows if a string literal of any kind begins here.
fn after_string(text: &str) -> Option<&str> {
    let unprefixed = text.strip_prefix(['b', 'c']).unwrap_or(text);
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(body.split_once(&close).map_or("", |(_, after)| after));
    }
    let body = unprefixed.strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(&body[at + 1..]),
            _ => {}
        }
    }
    Some("")
}

/// What follows a character literal, or the quote of a lifetime, whose name is then a word like any other.
fn after_quote(text: &str) -> &str {
    let body = &text[1..];
    if let Some(escape) = body.strip_prefix('\\') {
        let end = escape.char_indices().skip(1).find(|(_, letter)| *letter == '\'');
        return end.map_or("", |(at, _)| &escape[at + 1..]);
    }
    let mut letters = body.char_indices();
    match (letters.next(), letters.next()) {
        (Some(_), Some((at, '\''))) => &body[at + 1..],
        _ => body,
    }
}
