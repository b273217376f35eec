//! Random keys of every class of UTF-8 that a store can be given.

use std::collections::BTreeSet;

/// The longest key, in bytes.
pub const LONGEST: usize = 1024;

/// Pieces that something on the way may take for something else.
const PIECES: [&str; 58] = [
    "+",
    "%",
    "%20",
    "%2F",
    "%2f",
    "%25",
    "%00",
    "%0A",
    "%E2%98%83",
    "%c3%28",
    "%u0041",
    " ",
    "  ",
    "/",
    "//",
    ".",
    "..",
    "./",
    "../",
    "/./",
    "/../",
    "\\",
    "\\n",
    "\\u0041",
    "&",
    "<",
    ">",
    "\"",
    "'",
    "&amp;",
    "&#10;",
    "&#x0;",
    "<a/>",
    "]]>",
    "<!--",
    "?",
    "#",
    "?versionId=null",
    "=",
    ";",
    ":",
    "@",
    ",",
    "*",
    "~",
    "|",
    "^",
    "`",
    "{}",
    "[]",
    "$",
    "!",
    "\r\n",
    "\n",
    "\t",
    "\r",
    "null",
    "\u{feff}",
];

/// Ranges of characters, each of its own kind.
const RANGES: [(u32, u32); 22] = [
    ('a' as u32, 'z' as u32),
    (0x20, 0x7e),
    (0x01, 0x1f),
    (0x7f, 0x9f),
    (0xa0, 0xff),
    // Combining marks, which may be composed on the way.
    (0x300, 0x36f),
    (0x370, 0x3ff),
    (0x590, 0x6ff),
    (0x900, 0x97f),
    (0x1100, 0x11ff),
    // Spaces, joiners, marks of direction, separators of lines.
    (0x2000, 0x200f),
    (0x2028, 0x202f),
    (0x2060, 0x206f),
    (0x3040, 0x30ff),
    (0x4e00, 0x9fff),
    (0xac00, 0xd7a3),
    (0xe000, 0xf8ff),
    (0xfdd0, 0xfdef),
    (0xfff0, 0xffff),
    (0x1_d400, 0x1_d7ff),
    (0x1_f300, 0x1_faff),
    (0x10_fff0, 0x10_ffff),
];

/// So many different keys; `below` gives random numbers below its argument.
pub fn random_keys(count: usize, below: &mut dyn FnMut(usize) -> usize) -> Vec<String> {
    let mut keys = BTreeSet::new();
    while keys.len() < count {
        let key = random_key(below);
        if !key.is_empty() {
            keys.insert(key);
        }
    }
    keys.into_iter().collect()
}

fn random_key(below: &mut dyn FnMut(usize) -> usize) -> String {
    let mut key = String::new();
    // Short ones, whose beginnings and ends matter, more often than long ones.
    let longest = [4, 12, 40, 200, LONGEST][below(5)];
    for _ in 0..=below(longest) {
        if below(3) == 0 {
            key.push_str(PIECES[below(PIECES.len())]);
        } else {
            let (first, last) = RANGES[below(RANGES.len())];
            let code = first + u32::try_from(below((last - first + 1) as usize)).unwrap_or(0);
            key.extend(char::from_u32(code));
        }
    }
    while key.len() > LONGEST {
        key.pop();
    }
    // One in twenty is as long as a key can be, to the byte.
    if below(20) == 0 {
        while key.len() < LONGEST {
            let left = LONGEST - key.len();
            key.push(['k', 'ö', '☃', '\u{1f4ce}'][below(4).min(left - 1).min(3)]);
        }
    }
    key
}
