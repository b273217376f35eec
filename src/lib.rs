//! Shelflife keeps media in S3 exactly as long as a retention notice promises.
//!
//! Data flows one way: a [`policy`] and [`records`] are read, the store is listed
//! ([`s3`]) or looked at where an [`inventory`] points to, every object version is decided ([`decide`]), and the decisions become a
//! [`plan`] that [`apply`] carries out and [`evidence`] records. Where S3 itself can keep
//! the promise, [`lifecycle`] says so in a lifecycle configuration instead.
//!
//! The pure layers (`text`, `calendar`, `media`, `pattern`, `object`, `policy`, `records`, `decide`,
//! `lifecycle`, `lint`, `plan`, `targets`, `audit`, `report`) do no IO, read no clock and know no SDK type; `tests/layers.rs`
//! holds them to it.

pub mod apply;
pub mod audit;
pub mod calendar;
pub mod cli;
pub mod decide;
pub mod evidence;
pub mod inventory;
pub mod lifecycle;
pub mod lint;
pub mod media;
pub mod object;
pub mod pattern;
pub mod plan;
pub mod policy;
pub mod records;
pub mod report;
pub mod s3;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod survey;
pub mod targets;
pub mod text;
