//! PMTiles, read back by hand: the header, the directory, the features of each tile.

use std::io::Read;
use std::path::Path;

use brasa_export::{Format, write_layer};
use brasa_model::Layer;
use flate2::read::GzDecoder;
use geo::{Geometry, LineString, Point};

use crate::fixtures::{HOSTILE, layer, layer_of, ring};

/// What an archive says of itself, and each tile by its number.
struct Archive {
    zooms: (u8, u8),
    metadata: serde_json::Value,
    tiles: Vec<(u64, Vec<u8>)>,
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

/// The next number of seven bits to a byte.
fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn archive(path: &Path) -> Archive {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"PMTiles\x03"));
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let part = |at: usize| &bytes[number(at)..number(at) + number(at + 8)];
    assert_eq!(
        (bytes[96], bytes[97], bytes[98], bytes[99]),
        (1, 2, 2, 1),
        "clustered, gzip, gzip, vector tiles"
    );
    let root = unpacked(part(8));
    let mut directory = root.as_slice();
    let count = varint(&mut directory) as usize;
    let mut column = || -> Vec<u64> { (0..count).map(|_| varint(&mut directory)).collect() };
    let [ids, runs, lengths, offsets] = [column(), column(), column(), column()];
    let (mut id, mut end, mut tiles) = (0, 0, Vec::new());
    for at in 0..count {
        id += ids[at];
        let from = if offsets[at] == 0 { end } else { offsets[at] as usize - 1 };
        end = from + lengths[at] as usize;
        assert!(runs[at] > 0, "no leaf directories in a file this small");
        for repeated in 0..runs[at] {
            let from = number(56) + from;
            tiles.push((id + repeated, unpacked(&bytes[from..from + lengths[at] as usize])));
        }
    }
    let metadata = serde_json::from_slice(&unpacked(part(24))).unwrap();
    Archive { zooms: (bytes[100], bytes[101]), metadata, tiles }
}

/// The fields of a message: their numbers, and the bytes of those that have some.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                varint(&mut bytes);
                0
            }
            1 => 8,
            5 => 4,
            _ => varint(&mut bytes) as usize,
        };
        found.push((key >> 3, &bytes[..length]));
        bytes = &bytes[length..];
    }
    found
}

/// Features of a tile.
fn features(tile: &[u8]) -> usize {
    let layers = fields(tile).into_iter().filter(|(number, _)| *number == 3);
    layers.map(|(_, layer)| fields(layer).iter().filter(|(number, _)| *number == 2).count()).sum()
}

fn written(layer: &Layer) -> Archive {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = ["one.pmtiles", "two.pmtiles"].map(|name| dir.path().join(name));
    write_layer(layer, &one, Format::PmTiles).unwrap();
    write_layer(layer, &two, Format::PmTiles).unwrap();
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    archive(&one)
}

#[test]
fn every_feature_is_in_a_tile_of_each_zoom_and_says_what_it_is() {
    let archive = written(&layer());
    let (coarsest, finest) = archive.zooms;
    assert!(coarsest < finest && finest <= 14, "{:?}", archive.zooms);
    assert_eq!(archive.metadata["vector_layers"][0]["id"], "hotspots");
    assert_eq!(archive.metadata["vector_layers"][0]["fields"]["intensity"], "Number");
    assert!(archive.metadata["brasa"].is_object(), "{}", archive.metadata);
    // The number of the first tile of a zoom is that of all tiles of the coarser ones.
    let first = |zoom: u8| ((1_u64 << (2 * u32::from(zoom))) - 1) / 3;
    for zoom in coarsest..=finest {
        let of_zoom = archive.tiles.iter().filter(|(id, _)| (first(zoom)..first(zoom + 1)).contains(id));
        let count: usize = of_zoom.map(|(_, tile)| features(tile)).sum();
        assert!(count >= layer().features.len(), "zoom {zoom}: {count}");
    }
    let all: Vec<u8> = archive.tiles.iter().flat_map(|(_, tile)| tile.iter().copied()).collect();
    let holds = |text: &str| all.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(HOSTILE.iter().all(|text| holds(text)), "texts are bytes and nothing more");
}

#[test]
fn nothing_points_lines_and_specks_have_tiles_or_none() {
    assert!(written(&layer_of(vec![])).tiles.is_empty());
    let line = LineString::from(vec![(231_000.0, 3_893_000.0), (260_000.0, 3_893_000.0)]);
    let speck = ring(231_000.0, 3_893_000.0, 0.1);
    for geometry in [Geometry::Point(Point::new(231_000.0, 3_893_000.0)), line.into(), speck.into()] {
        let archive = written(&layer_of(vec![geometry.clone()]));
        assert!(archive.tiles.iter().map(|(_, tile)| features(tile)).sum::<usize>() > 0, "{geometry:?}");
    }
}

#[test]
fn many_small_features_thin_out_where_they_would_cover_one_another() {
    let squares = (0..10_000).map(|at| {
        let (x, y) = (f64::from(at % 100) * 300.0, f64::from(at / 100) * 300.0);
        ring(231_000.0 + x, 3_893_000.0 + y, 15.0).into()
    });
    let archive = written(&layer_of(squares.collect()));
    let counts: Vec<usize> = archive.tiles.iter().map(|(_, tile)| features(tile)).collect();
    assert!(counts[0] < 10_000, "{counts:?}");
    let first = |zoom: u8| ((1_u64 << (2 * u32::from(zoom))) - 1) / 3;
    let finest = archive.tiles.iter().filter(|(id, _)| *id >= first(archive.zooms.1));
    assert!(finest.map(|(_, tile)| features(tile)).sum::<usize>() >= 10_000, "{counts:?}");
}
