//! Lays the map library of `report.html` where the crate includes it from, if `npm ci` has been run in `web/`. Where it has
//! not, the crate is built without: the page then draws its map itself and says so.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let write = |name: &str, text: &str| fs::write(Path::new(&out).join(name), text);
    let library = Path::new("web/node_modules/maplibre-gl");
    let read = |name: &str| fs::read_to_string(library.join(name)).unwrap_or_default();
    let mut script = read("dist/maplibre-gl.js");
    let licence = read("LICENSE.txt");
    // Its version stands in the licence line at the top of the script.
    let version =
        script.split("blob/v").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    if licence.is_empty() {
        // Without its licence it is not passed on.
        script.clear();
    }
    if let Some(at) = script.rfind("//# sourceMappingURL=") {
        script.truncate(at);
    }
    // What would end a script element or hide its end, written otherwise in the strings it stands in.
    write("maplibre.js", &script.replace("</script", "<\\/script").replace("<!--", "<\\!--"))?;
    write("maplibre.version", &version)?;
    write("maplibre.licence", &licence)?;
    let watched = if library.exists() { "web/node_modules/.package-lock.json" } else { "web" };
    println!("cargo:rerun-if-changed={watched}");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
