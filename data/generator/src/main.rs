//! `brasa-sample-city DIR` writes the files of the sample city into a directory.

use std::path::PathBuf;

fn main() -> Result<(), String> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return Err("usage: brasa-sample-city DIR".to_owned());
    };
    for (name, text) in brasa_sample_city::generate(brasa_sample_city::SEED).files() {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
