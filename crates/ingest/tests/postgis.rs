//! Tables of a PostGIS database, in a server that this test starts in a folder of its own and stops again.
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::common::reasons;
use brasa_ingest::{InputOptions, read, read_polygons};
use brasa_model::{Crs, Diagnose};
use tempfile::TempDir;

/// A server without a network: it listens on a socket in its folder alone.
struct Server {
    folder: TempDir,
    programs: PathBuf,
}

impl Server {
    /// Starts one, or says why not.
    fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let programs =
            versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
        let Some(programs) = programs else {
            println!("skipped: no PostgreSQL is installed");
            return None;
        };
        let server = Self { folder: tempfile::tempdir().unwrap(), programs };
        let folder = server.folder.path();
        // Postgres refuses to run as root.
        let owner = Command::new("chown").arg("nobody").arg(folder).status().unwrap();
        let data = folder.join("data");
        let socket = folder.to_str().unwrap();
        let made = server
            .run("initdb", &["-D", data.to_str().unwrap(), "-A", "trust", "-U", "brasa", "-N", "-E", "UTF8"]);
        if !owner.success() || !made.status.success() {
            println!("skipped: initdb: {}", String::from_utf8_lossy(&made.stderr));
            return None;
        }
        let options = format!("-k {socket} -c listen_addresses= -c fsync=off");
        let log = folder.join("log");
        let arguments =
            ["-D", data.to_str().unwrap(), "-l", log.to_str().unwrap(), "-o", &options, "-w", "start"];
        let started = server.run("pg_ctl", &arguments);
        assert!(started.status.success(), "{}", std::fs::read_to_string(log).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(10));
        let extended = server.sql("CREATE EXTENSION postgis");
        if !extended.status.success() {
            println!("skipped: {}", String::from_utf8_lossy(&extended.stderr));
            return None;
        }
        Some(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let program = self.programs.join(program);
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = if root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        // What a server keeps open would keep this waiting.
        if arguments.contains(&"start") {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        command.output().unwrap()
    }

    fn sql(&self, text: &str) -> Output {
        let socket = self.folder.path().to_str().unwrap();
        self.run(
            "psql",
            &["-h", socket, "-U", "brasa", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", text],
        )
    }

    fn connection(&self) -> String {
        format!("PG:host={} user=brasa dbname=postgres password=secreto", self.folder.path().display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"]);
    }
}

fn layer(name: &str) -> InputOptions {
    InputOptions { layer: Some(name.into()), ..InputOptions::default() }
}

#[test]
fn tables_and_polygons_come_out_of_a_database() {
    let Some(server) = Server::start() else { return };
    let made = server.sql(
        "CREATE TABLE delitos (id serial PRIMARY KEY, tipo text, fecha timestamp, geom geometry(Point, 4686));
         INSERT INTO delitos (tipo, fecha, geom) VALUES
           ('robo', '2019-01-02 12:30', ST_SetSRID(ST_MakePoint(-74.1, 4.6), 4686)),
           ('extorsión', '2019-01-03 08:00', ST_SetSRID(ST_MakePoint(-74.0, 4.7), 4686)),
           ('robo', NULL, NULL);
         CREATE TABLE lugares (nombre text, lon double precision, lat double precision);
         INSERT INTO lugares VALUES ('a', -74.1, 4.6), ('b', -74.0, 4.7);
         CREATE TABLE zonas (nombre text, geom geometry(Polygon, 4326));
         INSERT INTO zonas VALUES ('Norte', ST_MakeEnvelope(-75, 4, -74, 5, 4326)), ('Sur', ST_MakeEnvelope(-74, 4, -73, 5, 4326));",
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = server.connection();
    let found = read(&[&path], &layer("delitos")).unwrap();
    assert_eq!((found.account.read, found.account.used, reasons(&found)["geometry_not_point"]), (3, 2, 1));
    assert_eq!(found.incidents.kinds.as_ref().unwrap().names, ["extorsión", "robo"]);
    assert_eq!(crate::common::starts(&found)[0], "2019-01-02T12:30:00 +1");
    let input = &found.inputs[0];
    assert_eq!(
        (input.crs_in.as_deref(), input.name.as_str()),
        (Some("EPSG:4686"), "PostGIS database postgres")
    );
    let way = found.incidents.crs.to_lonlat().unwrap();
    let (lon, lat) = way.convert(found.incidents.x[0], found.incidents.y[0]).unwrap();
    assert!((lon + 74.1).abs() < 1e-7 && (lat - 4.6).abs() < 1e-7, "{lon} {lat}");
    assert_eq!(read(&[&path], &layer("lugares")).unwrap().account.used, 2, "two columns of a plain table");
    assert_eq!(read(&[&path], &layer("nada")).unwrap_err().code(), "layer_unknown");
    let error = read(&[path.replace("postgres", "nada")], &InputOptions::default()).unwrap_err();
    assert!(error.code() == "format_unreadable" && !error.to_string().contains("secreto"), "{error}");
    let crs = Crs::utm(-74.0, 4.5).unwrap();
    assert_eq!(read_polygons(Path::new(&path), Some("zonas"), &crs).unwrap().0.0.len(), 2);
}

#[test]
fn every_other_word_is_the_name_of_a_file() {
    for word in [
        "/vsicurl/http://localhost/a.csv",
        "http://localhost/a.csv",
        "file:///etc/passwd",
        "/vsis3/a/b.csv",
        "MYSQL:a",
        "MSSQL:server=a",
        "WFS:http://localhost/wfs",
        "/vsizip//vsicurl/http://localhost/a.zip/a.csv",
        "/vsimem/a.csv",
    ] {
        assert_eq!(read(&[word], &InputOptions::default()).unwrap_err().code(), "file_missing", "{word}");
    }
}
