//! Listings that are nearly sound.

use crate::rng::Rng;

/// Changes a few bytes of a listing, often so that it stays nearly sound.
pub fn tamper(rng: &mut Rng, body: &mut Vec<u8>) {
    let tokens: [&[u8]; 46] = [
        b"<",
        b">",
        b"/",
        b"&",
        b";",
        b"\"",
        b"'",
        b"=",
        b" ",
        b"\r",
        b"]]>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"<?",
        b"?>",
        b"&#",
        b"&#x",
        b"&lt;",
        b"&#0;",
        b"%",
        b"+",
        b"true",
        b"false",
        b"<Key>",
        b"</Key>",
        b"<Key/>",
        b"<Size>1</Size>",
        b"<Version>",
        b"</Version>",
        b"<DeleteMarker>",
        b"</DeleteMarker>",
        b"<Upload>",
        b"</Upload>",
        b"<UploadId>1</UploadId>",
        b"<VersionId/>",
        b"<Initiated>2026-11-24T06:15:00Z</Initiated>",
        b"<IsTruncated>true</IsTruncated>",
        b"<EncodingType>url</EncodingType>",
        b"<IsLatest>true</IsLatest>",
        b"</ListVersionsResult>",
        b"</ListMultipartUploadsResult>",
        b"\xff",
        b"\xc3\xa9",
        b"<!DOCTYPE a>",
        b"x:",
    ];
    for _ in 0..=rng.below(2) {
        let start = rng.below(body.len() + 1);
        let end = body.len().min(start + if rng.chance(70) { rng.below(4) } else { rng.below(60) });
        match rng.below(5) {
            0 if start < body.len() => body[start] ^= 1 << rng.below(8),
            1 => drop(body.drain(start..end)),
            2 => {
                let copy = body[start..end].to_vec();
                let at = rng.below(body.len() + 1);
                drop(body.splice(at..at, copy));
            }
            3 => drop(body.splice(start..end, rng.pick(&tokens).iter().copied())),
            _ => drop(body.splice(start..start, rng.pick(&tokens).iter().copied())),
        }
    }
}
