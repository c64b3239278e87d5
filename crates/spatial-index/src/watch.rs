//! How far a long computation has come, and whether anybody still waits for it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::AnalysisError;

/// One message of a computation to whoever watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is being done, as a noun in the plural: `permutations`, `bandwidths tried`.
    pub phase: &'static str,
    /// How many are done.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// Whoever watches: is told each step, and answers whether to go on. Called from any thread.
pub type Observer<'a> = dyn Fn(Step) -> ControlFlow<()> + Sync + 'a;

/// Where a method says how far it has come. What is said here never changes an answer.
#[derive(Clone, Copy, Default)]
pub struct Watch<'a>(Option<&'a Observer<'a>>);

impl<'a> Watch<'a> {
    /// Nobody watches.
    pub const NOBODY: Watch<'static> = Watch(None);

    /// `observer` watches.
    pub fn new(observer: &'a Observer<'a>) -> Self {
        Self(Some(observer))
    }

    /// Begins something that takes `of` steps.
    pub fn phase(&self, name: &'static str, of: u64) -> Phase<'a> {
        Phase { watch: *self, name, of, done: AtomicU64::new(0) }
    }
}

/// Something that takes a number of steps, on any number of threads.
pub struct Phase<'a> {
    watch: Watch<'a>,
    name: &'static str,
    of: u64,
    done: AtomicU64,
}

impl Phase<'_> {
    /// Another `steps` are done; with none it only asks whether anybody still waits.
    ///
    /// # Errors
    /// [`AnalysisError::Interrupted`] when nobody waits any more.
    pub fn advance(&self, steps: u64) -> Result<(), AnalysisError> {
        let Some(observer) = self.watch.0 else { return Ok(()) };
        let done = self.done.fetch_add(steps, Ordering::Relaxed) + steps;
        match observer(Step { phase: self.name, done, of: self.of }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(AnalysisError::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_and_a_break_ends_the_work() {
        let heard = AtomicU64::new(0);
        let observer = |step: Step| {
            heard.fetch_max(step.done, Ordering::Relaxed);
            if step.done < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let phase = Watch::new(&observer).phase("steps", 10);
        assert_eq!(phase.advance(3), Ok(()));
        assert_eq!(phase.advance(3), Err(AnalysisError::Interrupted));
        assert_eq!(heard.into_inner(), 6);
        assert_eq!(Watch::NOBODY.phase("steps", 10).advance(30), Ok(()));
    }
}
