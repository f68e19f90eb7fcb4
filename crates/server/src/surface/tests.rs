use std::path::Path;

#[test]
fn routes_are_added_only_by_the_macros_that_look_after_tokens() {
    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(
        files.len() > 30,
        "the sources are where they are looked for"
    );
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        // Where those macros are.
        if name.starts_with("surface") || name == "console.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for way in [
            ".route(",
            ".routes(",
            "routes!(",
            ".nest(",
            "route_service(",
        ] {
            assert!(!text.contains(way), "{name} adds a route by {way}");
        }
    }
}
