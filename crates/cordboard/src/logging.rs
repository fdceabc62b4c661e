//! What happens, one line each, on standard error.

use std::fmt;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Starts logging. `filter` as `RUST_LOG`, which holds if there is none.
///
/// # Errors
/// When the filter is not one.
pub(crate) fn start(filter: Option<&str>, standard: &str) -> anyhow::Result<()> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.map(str::to_owned).or(from_environment).unwrap_or_else(|| standard.into());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        anyhow::anyhow!("`{filter}` is no log filter ({error}); try `info` or `pbx=debug,warn`")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_timer(LocalTime)
        .init();
    Ok(())
}

/// Time of day here, to the millisecond.
struct LocalTime;

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", jiff::Zoned::now().strftime("%F %T%.3f"))
    }
}
