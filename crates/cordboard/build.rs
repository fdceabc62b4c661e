//! Lists the demo scripts and the prompts, so that the binary carries them wherever it goes.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut list = String::new();
    for (name, folder, endings) in [
        ("SCRIPTS", "scripts", &["lua", "md"][..]),
        ("PROMPTS", "prompts", &["ogg", "flac", "wav", "mp3", "tsv"][..]),
    ] {
        let folder = root.join(folder);
        let mut files = Vec::new();
        collect(&folder, endings, &mut files)?;
        files.sort();
        list.push_str(&format!("pub(super) static {name}: &[(&str, &[u8])] = &[\n"));
        for file in files {
            let relative = file.strip_prefix(&folder)?.to_string_lossy().replace('\\', "/");
            list.push_str(&format!("    ({relative:?}, include_bytes!({:?})),\n", file));
        }
        list.push_str("];\n");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("embedded.rs");
    fs::write(out, list)?;
    Ok(())
}

fn collect(
    folder: &Path,
    endings: &[&str],
    files: &mut Vec<PathBuf>,
) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, endings, files)?;
        } else if path
            .extension()
            .is_some_and(|ending| endings.iter().any(|known| ending == *known))
        {
            files.push(path);
        }
    }
    Ok(())
}
