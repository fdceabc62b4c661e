//! Which line a byte is in.

/// Where the lines of a text begin.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u32>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(_, after)| after)).collect())
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: u32) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    /// Where the line of a byte begins.
    pub(super) fn start(&self, at: u32) -> u32 {
        let index = self.0.partition_point(|start| *start <= at);
        index.checked_sub(1).and_then(|index| self.0.get(index)).copied().unwrap_or_default()
    }

    /// How far in a byte stands, if only spaces are before it in its line.
    pub(super) fn indent(&self, text: &str, at: u32) -> Option<usize> {
        let before = text.get(self.start(at) as usize..at as usize)?;
        before.trim().is_empty().then_some(before.len())
    }
}
