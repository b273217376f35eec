//! Progress bars on stderr; none when it is no terminal, or with `--quiet`.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::survey::Reads;
use crate::text;

/// Before so much has passed a rate says little.
const SOON: Duration = Duration::from_secs(1);

/// A bar that counts what a long piece of work has done.
pub struct Progress {
    bar: ProgressBar,
    /// Objects that were asked about beside those that the survey counts.
    asked: Arc<AtomicU64>,
}

impl Progress {
    /// A bar for work whose length is not known beforehand.
    pub fn counting(title: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(quiet));
        bar.set_style(style("{spinner} {prefix} {human_pos} {msg}  {rate}  {elapsed}{below}"));
        bar.set_prefix(title.to_owned());
        Self::started(bar)
    }

    /// The same for what surveys a bucket; as soon as there are `reads`, a line below counts them.
    pub fn surveying(title: &str, reads: &Arc<Reads>, quiet: bool) -> Self {
        let (progress, reads) = (Self::counting(title, quiet), Arc::clone(reads));
        let (asked, first) = (Arc::clone(&progress.asked), Arc::new(OnceLock::new()));
        let below = move |_: &ProgressState, line: &mut dyn Write| {
            let tally = reads.tally();
            let (asked, spared) = (tally.asked() + asked.load(Ordering::Relaxed), tally.recalled);
            if asked + spared > 0 {
                let since = first.get_or_init(Instant::now).elapsed();
                // Where a line cannot be written, none is seen.
                let _ = write!(line, "\n  {}", read_words(asked, spared, since));
            }
        };
        progress.bar.set_style(progress.bar.style().with_key("below", below));
        progress
    }

    /// A bar for work of `length` steps.
    pub fn of(title: &str, length: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), target(quiet));
        bar.set_style(style("{spinner} {prefix} {bar:24} {human_pos}/{human_len} {msg}  {rate}  {eta} left"));
        bar.set_prefix(title.to_owned());
        Self::started(bar)
    }

    fn started(bar: ProgressBar) -> Self {
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, asked: Arc::default() }
    }

    /// So much more is done.
    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// Says something more.
    pub fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    /// One more object was asked about.
    pub fn asked_one(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// Prints something else without the bar in between.
    #[cfg(feature = "sandbox")]
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    }
}

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, line: &mut dyn Write| {
        let _ = write!(line, "{}/s", text::count(state.per_sec() as u64));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
}

/// What was asked of single objects, and since when.
fn read_words(asked: u64, spared: u64, since: Duration) -> String {
    let mut words = format!("single objects read: {}", text::count(asked));
    if asked > 0 && since >= SOON {
        let rate = asked as f64 / since.as_secs_f64();
        words += &format!(" ({}/s)", text::count(rate as u64));
    }
    if spared > 0 {
        words += &format!(", {} spared by the cache", text::count(spared));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_told_with_their_rate_and_what_the_cache_spared() {
        let words = |asked, spared, millis| read_words(asked, spared, Duration::from_millis(millis));
        assert_eq!(
            words(12_345, 31_000, 10_000),
            "single objects read: 12,345 (1,234/s), 31,000 spared by the cache"
        );
        assert_eq!(words(7, 0, 999), "single objects read: 7");
        assert_eq!(words(7, 0, 14_000), "single objects read: 7 (0/s)");
        assert_eq!(words(0, 5, 14_000), "single objects read: 0, 5 spared by the cache");
        assert_eq!(words(0, 0, 0), "single objects read: 0");
    }
}
