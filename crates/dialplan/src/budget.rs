//! How much a script may use before its call is ended.

/// Bounds on what scripts may use; reaching one ends that call and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lua instructions before other calls are served and this one goes on later.
    pub instructions_per_slice: u32,
    /// Lua instructions between two verbs; a script that needs more is taken for an endless loop.
    pub instructions_per_verb: u64,
    /// Lua instructions all scripts together may use while they load.
    pub instructions_at_load: u64,
    /// Lua instructions for `<close>` values and `on_hangup` functions of one call.
    pub instructions_at_close: u64,
    /// Verbs in one call.
    pub verbs_per_call: u32,
    /// Bytes of Lua values one call may hold or allocate at once.
    pub memory_per_call: usize,
    /// Bytes of Lua values for the scripts as loaded, before any call.
    pub memory_base: usize,
    /// Bytes of Lua values of all calls of one generation together.
    pub memory_in_all: usize,
    /// `call:go` inside `call:go`.
    pub go_depth: u32,
    /// `on_hangup` functions of one call.
    pub hangup_functions: usize,
    /// Log lines kept until they are taken; more are counted and dropped.
    pub log_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instructions_per_slice: 2_000,
            instructions_per_verb: 5_000_000,
            instructions_at_load: 100_000_000,
            instructions_at_close: 200_000,
            verbs_per_call: 10_000,
            memory_per_call: 1 << 20,
            memory_base: 64 << 20,
            memory_in_all: 1 << 30,
            go_depth: 16,
            hangup_functions: 16,
            log_lines: 1_000,
        }
    }
}
