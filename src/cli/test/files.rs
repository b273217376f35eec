//! Finding the test files of a policy.

use std::fs;
use std::path::Path;

use super::super::exit::Failure;
use super::super::{inputs, output};
use crate::policy::SourceFile;

/// The end of a test file's name.
const ENDING: &str = ".test.yaml";

/// More than this is surely another folder.
const MAX_FILES: usize = 1000;

/// A policy's folders are not nested deeper than this.
const MAX_DEPTH: u32 = 16;

/// All `*.test.yaml` in `folder` and the folders in it, in the order of their paths.
pub fn find(folder: &Path) -> Result<Vec<SourceFile>, Failure> {
    let start = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let wrong = |path: &Path, error: std::io::Error| {
        Failure::usage(format!("{} could not be read: {error}", output::path(path)))
    };
    let mut paths = Vec::new();
    let mut folders = vec![(start.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| wrong(&folder, error))? {
            let path = entry.map_err(|error| wrong(&folder, error))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if name.starts_with('.') {
                continue;
            }
            if fs::metadata(&path).map_err(|error| wrong(&path, error))?.is_dir() {
                if depth >= MAX_DEPTH {
                    return Err(Failure::usage(format!("{} lies too deep", output::path(&path)))
                        .help("is there a link that leads back into the folder?"));
                }
                folders.push((path, depth + 1));
            } else if name.ends_with(ENDING) {
                paths.push(path);
            }
        }
        if paths.len() > MAX_FILES {
            return Err(Failure::usage(format!("there are more than {MAX_FILES} test files")));
        }
    }
    paths.sort();
    paths.iter().map(|path| inputs::read_source(path).map_err(|error| wrong(path, error))).collect()
}
