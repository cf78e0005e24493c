//! All adapters: those of the project, which are in the binary, or those of a folder.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use bridge_core::manifest::{Adapters, Manifest};

use crate::{Adapter, CatalogError, Fault};

/// An adapter's folder in the binary, see `build.rs`.
struct Embedded {
    name: &'static str,
    manifest: &'static str,
    mappings: &'static [(&'static str, &'static str)],
    queries: &'static [(&'static str, &'static str)],
}

static BUILTIN: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The adapters, by name.
#[derive(Debug)]
pub struct Catalog(BTreeMap<String, Entry>);

/// An adapter is read when it is first asked for: a function that serves one product starts without reading the
/// manifests of the others.
#[derive(Debug)]
struct Entry {
    folder: Folder,
    adapter: OnceLock<Option<Arc<Adapter>>>,
}

/// The texts of an adapter's folder.
#[derive(Debug)]
struct Folder {
    name: String,
    manifest: Cow<'static, str>,
    mappings: Texts,
    queries: Texts,
}

/// Files of one kind, by name without the ending.
type Texts = Vec<(String, Cow<'static, str>)>;

fn embedded(texts: &[(&'static str, &'static str)]) -> Texts {
    texts.iter().map(|(name, text)| ((*name).to_owned(), Cow::Borrowed(*text))).collect()
}

impl Catalog {
    /// The project's adapters. Reads none of them; that they are right is what this crate's tests are for.
    pub fn builtin() -> Self {
        Self::new(BUILTIN.iter().map(|embedded| Folder {
            name: embedded.name.to_owned(),
            manifest: Cow::Borrowed(embedded.manifest),
            mappings: self::embedded(embedded.mappings),
            queries: self::embedded(embedded.queries),
        }))
    }

    /// The adapters in a folder: each subfolder is one.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self, Vec<CatalogError>> {
        let folders = folders(path.as_ref()).map_err(|error| vec![error])?;
        let catalog = Self::new(folders);
        let errors = catalog.check();
        if errors.is_empty() { Ok(catalog) } else { Err(errors) }
    }

    fn new(folders: impl IntoIterator<Item = Folder>) -> Self {
        let entry = |folder: Folder| (folder.name.clone(), Entry { folder, adapter: OnceLock::new() });
        Self(folders.into_iter().map(entry).collect())
    }

    /// The adapters' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// An adapter, if there is one of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Adapter>> {
        let Entry { folder, adapter } = self.0.get(name)?;
        adapter.get_or_init(|| folder.parse().ok().map(Arc::new)).as_ref()
    }

    /// Everything that is wrong with any adapter; nothing when all can be used.
    pub fn check(&self) -> Vec<CatalogError> {
        self.0.values().flat_map(|entry| entry.folder.check()).collect()
    }
}

impl Adapters for Catalog {
    fn manifest(&self, adapter: &str) -> Option<Arc<Manifest>> {
        self.get(adapter).map(|adapter| Arc::clone(adapter.manifest()))
    }

    fn mapping(&self, adapter: &str, mapping: &str) -> Option<Arc<str>> {
        self.get(adapter)?.mapping(mapping).map(Arc::clone)
    }

    fn query(&self, adapter: &str, name: &str) -> Option<Arc<str>> {
        self.get(adapter)?.query(name).map(Arc::clone)
    }
}

impl Folder {
    fn parse(&self) -> Result<Adapter, CatalogError> {
        let shared = |texts: &Texts| {
            texts.iter().map(|(name, text)| (name.clone(), Arc::from(&**text))).collect::<Vec<_>>()
        };
        Adapter::parse(&self.manifest, shared(&self.mappings), shared(&self.queries)).map_err(|error| {
            // The line and column that serde_norway appends stand in front already.
            let line = error.location().map_or(1, |place| place.line());
            let text = error.to_string();
            let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
            CatalogError { file: manifest_path(&self.name), line, fault: Fault::Yaml(reason.to_owned()) }
        })
    }

    fn check(&self) -> Vec<CatalogError> {
        match self.parse() {
            Ok(adapter) => adapter.problems(&self.name, &self.manifest),
            Err(error) => vec![error],
        }
    }
}

fn manifest_path(adapter: &str) -> String {
    format!("{adapter}/adapter.yaml")
}

fn folders(path: &Path) -> Result<Vec<Folder>, CatalogError> {
    let mut folders = Vec::new();
    for (name, path) in entries(path)?.into_iter().filter(|(_, path)| path.is_dir()) {
        let manifest = Cow::Owned(read(&path.join("adapter.yaml"), &manifest_path(&name))?);
        let mappings = texts(&path, &name, "mappings", ".jsonata")?;
        let queries = texts(&path, &name, "queries", ".graphql")?;
        folders.push(Folder { name, manifest, mappings, queries });
    }
    Ok(folders)
}

/// The files of one kind in a folder of an adapter's.
fn texts(adapter: &Path, name: &str, folder: &str, ending: &str) -> Result<Texts, CatalogError> {
    let mut texts = Vec::new();
    let path = adapter.join(folder);
    if path.is_dir() {
        for (file, path) in entries(&path)? {
            if let Some(stem) = file.strip_suffix(ending) {
                let text = read(&path, &format!("{name}/{folder}/{file}"))?;
                texts.push((stem.to_owned(), Cow::Owned(text)));
            }
        }
    }
    Ok(texts)
}

fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, CatalogError> {
    let unreadable = |error: std::io::Error| unreadable(&folder.display().to_string(), &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    Ok(entries)
}

fn read(path: &Path, shown: &str) -> Result<String, CatalogError> {
    fs::read_to_string(path).map_err(|error| unreadable(shown, &error))
}

fn unreadable(file: &str, error: &std::io::Error) -> CatalogError {
    CatalogError { file: file.to_owned(), line: 1, fault: Fault::Unreadable(error.to_string()) }
}
