//! Media types: ranges such as `image/*`, and the types that file extensions stand for.
//!
//! The table is Shelflife's own and changes only with a note in the changelog: what it says
//! decides what a policy selects. The types are those of the IANA registry.

/// A media type, or all types of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaRange {
    kind: String,
    /// `None` for all of the kind.
    subtype: Option<String>,
}

/// Why a text is neither a media type nor a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a media type: write `image/*` or `image/png`, in plain letters and without parameters")]
pub struct MediaRangeError;

impl MediaRange {
    /// Reads `image/*` or `image/png`.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn parse(text: &str) -> Result<Self, MediaRangeError> {
        let text = text.to_ascii_lowercase();
        let (kind, subtype) = text.split_once('/').ok_or(MediaRangeError)?;
        let is_token = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        if !is_token(kind) || !(subtype == "*" || is_token(subtype)) {
            return Err(MediaRangeError);
        }
        Ok(Self { kind: kind.to_owned(), subtype: (subtype != "*").then(|| subtype.to_owned()) })
    }

    /// Whether the range has the type that the key's file extension stands for; a key without
    /// an extension, or with an unknown one, is of no type.
    pub fn has_key(&self, key: &str) -> bool {
        of_extension(key).is_some_and(|media| self.has(media))
    }

    /// Whether the range has a `Content-Type`, whatever its parameters.
    pub fn has_content_type(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default();
        self.has(&essence.trim().to_ascii_lowercase())
    }

    /// Whether any known file extension stands for a type of the range.
    pub fn is_known(&self) -> bool {
        TYPES.iter().any(|(media, _)| self.has(media))
    }

    /// The file extensions that stand for a type of the range, in lower case.
    pub fn extensions(&self) -> impl Iterator<Item = &'static str> {
        TYPES.iter().filter(|(media, _)| self.has(media)).flat_map(|(_, all)| all.split(' '))
    }

    /// What is in both ranges.
    pub fn common(&self, other: &Self) -> Option<Self> {
        let subtype = match (&self.subtype, &other.subtype) {
            (Some(a), Some(b)) if a != b => return None,
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        (self.kind == other.kind).then(|| Self { kind: self.kind.clone(), subtype })
    }

    /// A type in the range.
    pub fn example(&self) -> String {
        format!("{}/{}", self.kind, self.subtype.as_deref().unwrap_or("example"))
    }

    fn has(&self, media: &str) -> bool {
        media.split_once('/').is_some_and(|(kind, subtype)| {
            kind == self.kind && self.subtype.as_ref().is_none_or(|wanted| wanted == subtype)
        })
    }
}

impl std::fmt::Display for MediaRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.subtype.as_deref().unwrap_or("*"))
    }
}

/// The media type that a key's file extension stands for.
fn of_extension(key: &str) -> Option<&'static str> {
    let name = key.rsplit('/').next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    let extension = extension.to_ascii_lowercase();
    TYPES.iter().find(|(_, all)| all.split(' ').any(|one| one == extension)).map(|(media, _)| *media)
}

/// Types and their extensions; no extension stands twice.
const TYPES: &[(&str, &str)] = &[
    ("application/gzip", "gz"),
    ("application/json", "json"),
    ("application/msword", "doc"),
    ("application/pdf", "pdf"),
    ("application/rtf", "rtf"),
    ("application/vnd.apache.parquet", "parquet"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("application/vnd.oasis.opendocument.presentation", "odp"),
    ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ("application/vnd.oasis.opendocument.text", "odt"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/x-7z-compressed", "7z"),
    ("application/x-tar", "tar"),
    ("application/xml", "xml"),
    ("application/zip", "zip"),
    ("application/zstd", "zst"),
    ("audio/aac", "aac"),
    ("audio/ac3", "ac3"),
    ("audio/amr", "amr"),
    ("audio/amr-wb", "awb"),
    ("audio/basic", "au snd"),
    ("audio/flac", "flac"),
    ("audio/g729", "g729"),
    ("audio/gsm", "gsm"),
    ("audio/midi", "mid midi"),
    ("audio/mp4", "m4a m4b"),
    ("audio/mpeg", "mp3 mp2 mpga"),
    ("audio/ogg", "oga ogg opus spx"),
    ("audio/webm", "weba"),
    ("audio/x-aiff", "aif aiff"),
    ("audio/x-caf", "caf"),
    ("audio/x-ms-wma", "wma"),
    ("audio/x-wav", "wav"),
    ("image/apng", "apng"),
    ("image/avif", "avif"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/heif", "heif"),
    ("image/jp2", "jp2"),
    ("image/jpeg", "jpg jpeg jpe jfif"),
    ("image/jxl", "jxl"),
    ("image/png", "png"),
    ("image/svg+xml", "svg svgz"),
    ("image/tiff", "tif tiff"),
    ("image/vnd.adobe.photoshop", "psd"),
    ("image/vnd.microsoft.icon", "ico"),
    ("image/webp", "webp"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/css", "css"),
    ("text/csv", "csv"),
    ("text/html", "html htm"),
    ("text/markdown", "md"),
    ("text/plain", "txt text log"),
    ("text/vcard", "vcf"),
    ("video/3gpp", "3gp 3gpp"),
    ("video/3gpp2", "3g2"),
    ("video/h264", "h264"),
    ("video/mp2t", "m2ts mts"),
    ("video/mp4", "mp4 m4v mp4v"),
    ("video/mpeg", "mpeg mpg m1v m2v"),
    ("video/ogg", "ogv"),
    ("video/quicktime", "mov qt"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/x-matroska", "mkv"),
    ("video/x-ms-wmv", "wmv"),
    ("video/x-msvideo", "avi"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn range(text: &str) -> MediaRange {
        MediaRange::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_key_is_of_the_type_that_its_extension_stands_for() {
        assert!(range("image/*").has_key("inbound/4711/Photo.JPG"));
        assert!(range("image/jpeg").has_key("a.b/photo.jpeg"));
        assert!(!range("image/png").has_key("photo.jpeg"));
        assert!(!range("audio/*").has_key("photo.jpeg"));
        for unknown in ["photo", "photo.jpg/", "a.jpg/photo", ".jpg", "photo.jpg ", "photo.xyz", "photo."] {
            assert!(!range("image/*").has_key(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_content_type_counts_without_its_parameters() {
        assert!(range("text/*").has_content_type("Text/Plain; charset=utf-8"));
        assert!(!range("text/*").has_content_type("textual/plain"));
        assert!(!range("text/*").has_content_type(""));
        assert!(!range("text/*").has_content_type("text"));
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for text in ["", "image", "image/", "*/*", "/png", "image/p*", "image/png;q=1", "image/ png", "a/b/c"]
        {
            assert_eq!(MediaRange::parse(text), Err(MediaRangeError), "{text}");
        }
        assert_eq!(range("Image/*").to_string(), "image/*");
    }

    #[test]
    fn no_extension_stands_for_two_types() {
        let all: Vec<&str> = TYPES.iter().flat_map(|(_, all)| all.split(' ')).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
