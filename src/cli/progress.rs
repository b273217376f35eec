//! Progress bars on stderr; none when it is no terminal, or with `--quiet`.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts what a long piece of work has done.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for work whose length is not known beforehand.
    pub fn counting(title: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(quiet));
        bar.set_style(style("{spinner} {prefix} {human_pos} {msg}  {per_sec}  {elapsed}"));
        bar.set_prefix(title.to_owned());
        Self::started(bar)
    }

    /// A bar for work of `length` steps.
    pub fn of(title: &str, length: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), target(quiet));
        bar.set_style(style(
            "{spinner} {prefix} {bar:24} {human_pos}/{human_len} {msg}  {per_sec}  {eta} left",
        ));
        bar.set_prefix(title.to_owned());
        Self::started(bar)
    }

    fn started(bar: ProgressBar) -> Self {
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar }
    }

    /// So much more is done.
    pub fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// Says something more.
    pub fn say(&self, text: String) {
        self.bar.set_message(text);
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
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
