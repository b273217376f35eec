//! What a plan file must survive, and what it must not let pass.

use bytes::Bytes;
use parquet::file::writer::SerializedFileWriter;
use serde_json::json;

use super::*;
use crate::plan::row::tests::{object, upload, version};
use crate::plan::row::{Action, PlanRow};

fn header() -> serde_json::Value {
    json!({"as_of": "2026-11-23T00:00:00Z", "policy": {"name": "acme", "digest": "ab12"}})
}

fn rows() -> Vec<PlanRow> {
    let hostile = "in/a b+%2B\u{202e}\u{1}\n😀";
    vec![
        object("Z"),
        upload(hostile, "u-1"),
        version(hostile, "null", false),
        PlanRow { overdue_sweep: true, tenant: None, ..version(hostile, "v2", false) },
        PlanRow { kind: crate::object::Kind::Marker, size: 0, etag: None, ..version(hostile, "v3", true) },
        PlanRow { size: i64::MAX.unsigned_abs(), bucket: "acme-recordings".into(), ..object("a") },
        PlanRow { export: Some("s3://exports/b".into()), bucket: "acme-recordings".into(), ..object("b") },
        PlanRow { action: Action::Mark, bucket: "acme-recordings".into(), ..version("c", "v1", true) },
    ]
}

fn plan(rows: &[PlanRow]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = PlanWriter::new(&mut file).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    let written = writer.finish(&header()).unwrap();
    assert_eq!(written.rows, rows.len() as u64);
    file
}

fn open(file: &[u8]) -> Result<PlanReader<Bytes>, PlanFileError> {
    PlanReader::open(Bytes::copy_from_slice(file))
}

fn read(file: &[u8]) -> Result<Vec<PlanRow>, PlanFileError> {
    open(file)?.rows().collect()
}

#[test]
fn a_plan_reads_back_as_it_was_written() {
    let file = plan(&rows());
    let reader = open(&file).unwrap();
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.row_count(), 8);
    assert_eq!(reader.rows().collect::<Result<Vec<_>, _>>().unwrap(), rows());
}

#[test]
fn rows_that_wait_for_their_place_come_back_in_the_order_of_their_stretches() {
    let mut spool = Spool::new(|| Ok(std::io::Cursor::new(Vec::new())));
    let mut stretches = [Stretch::default(), Stretch::default(), Stretch::default()];
    let samples = rows();
    let row = |stretch: usize, number: usize| PlanRow {
        key: format!("{stretch}/{number:06}").into(),
        tenant: number.is_multiple_of(3).then(|| "4711".into()),
        reason: "x".repeat(number % 700).into(),
        ..samples[number % samples.len()].clone()
    };
    for number in 0..9_000 {
        for (place, stretch) in stretches.iter_mut().enumerate().take(2) {
            spool.push(stretch, row(place, number)).unwrap();
        }
    }
    let mut came = Vec::new();
    for stretch in stretches {
        spool
            .take(stretch, |row| {
                came.push(row.clone());
                Ok::<_, io::Error>(())
            })
            .unwrap();
    }
    let expected = (0..2).flat_map(|stretch| (0..9_000).map(move |number| (stretch, number)));
    assert!(came.iter().cloned().eq(expected.map(|(stretch, number)| row(stretch, number))));
}

#[test]
fn rows_that_were_put_aside_and_are_not_as_they_were_written_are_an_error() {
    for bytes in [0, 1_000, 100_000] {
        let mut spool = Spool::new(move || Ok(Broken(std::io::Cursor::new(Vec::new()), bytes)));
        let mut stretch = Stretch::default();
        for _ in 0..20_000 {
            spool.push(&mut stretch, object("a")).unwrap();
        }
        assert!(spool.take(stretch, |_| Ok::<_, io::Error>(())).is_err(), "{bytes}");
    }
}

/// A file that can be read so far only.
struct Broken(std::io::Cursor<Vec<u8>>, u64);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.1.saturating_sub(self.0.position())).unwrap().min(into.len());
        self.0.read(&mut into[..left])
    }
}

impl io::Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Broken {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_plan_with_nothing_to_do_is_a_plan() {
    assert_eq!(read(&plan(&[])).unwrap(), []);
}

#[test]
fn a_plan_of_several_row_groups_reads_back_in_order() {
    let all: Vec<_> = (0..40_000).map(|n| object(&format!("inbound/{n:06}.jpg"))).collect();
    let file = plan(&all);
    assert_eq!(read(&file).unwrap(), all);
}

#[test]
fn a_row_out_of_order_is_refused_and_leaves_the_plan_whole() {
    let mut file = Vec::new();
    let mut writer = PlanWriter::new(&mut file).unwrap();
    writer.push(&object("b")).unwrap();
    let error = writer.push(&object("a")).unwrap_err();
    assert!(matches!(error, PlanFileError::Row { row: 2, fault: RowFault::Order }), "{error:?}");
    writer.push(&object("c")).unwrap();
    writer.finish(&header()).unwrap();
    assert_eq!(read(&file).unwrap(), [object("b"), object("c")]);
}

#[test]
fn a_plan_that_ends_anywhere_too_early_is_cut_off() {
    let file = plan(&rows());
    for length in 0..file.len() {
        let error = open(&file[..length]).err().unwrap();
        assert!(matches!(error, PlanFileError::CutOff), "{length}: {error:?}");
    }
}

#[test]
fn another_file_is_no_plan() {
    for other in [&b"{\"version\": 1}"[..], b"PK\x03\x04 a zip file", b"P1"] {
        assert!(matches!(open(other), Err(PlanFileError::NotAPlan)));
    }
    let mut parquet = Vec::new();
    SerializedFileWriter::new(&mut parquet, schema().unwrap(), Arc::default()).unwrap().close().unwrap();
    assert!(matches!(open(&parquet), Err(PlanFileError::NotAPlan)));
}

#[test]
fn a_plan_in_another_format_is_refused_as_such() {
    let mut file = plan(&rows());
    replace(&mut file, b"shelflife.format\x18\x013", b"shelflife.format\x18\x014");
    assert!(matches!(open(&file), Err(PlanFileError::Edited)), "an edit is no later version");
    replace(&mut file, b"shelflife.seal", b"shelflife.SEAL");
    assert!(matches!(open(&file), Err(PlanFileError::Newer { found: 4 })));
    replace(&mut file, b"shelflife.format\x18\x014", b"shelflife.format\x18\x011");
    assert!(matches!(open(&file), Err(PlanFileError::Older { found: 1 })));
}

#[test]
fn a_plan_without_its_seal_is_refused() {
    let mut file = plan(&rows());
    replace(&mut file, b"shelflife.seal", b"shelflife.SEAL");
    assert!(matches!(open(&file), Err(PlanFileError::Damaged { .. })));
}

#[test]
fn an_edited_header_is_found() {
    let mut file = plan(&rows());
    replace(&mut file, b"2026-11-23", b"2026-11-24");
    assert!(matches!(open(&file), Err(PlanFileError::Edited)));
}

#[test]
fn any_changed_bit_is_found() {
    let file = plan(&rows());
    for place in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[place] ^= 1 << bit;
            assert!(open(&damaged).is_err(), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn the_digest_of_a_plan_is_that_of_its_file() {
    assert_eq!(
        file_digest(&b"abc"[..]).unwrap(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "as sha256sum has it"
    );
    let mut file = Vec::new();
    let mut writer = PlanWriter::new(&mut file).unwrap();
    writer.push(&object("a")).unwrap();
    let written = writer.finish(&header()).unwrap();
    assert_eq!(written, Written { rows: 1, digest: file_digest(&file[..]).unwrap() });
    assert_eq!(open(&file).unwrap().digest(), written.digest);
}

#[test]
fn rows_can_be_read_on_another_thread() {
    fn sent<T: Send>(_: T) {}
    sent(open(&plan(&rows())).unwrap().rows());
}

fn replace(file: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let place = file.windows(old.len()).position(|window| window == old).expect("it is in the file");
    file[place..place + new.len()].copy_from_slice(new);
}
