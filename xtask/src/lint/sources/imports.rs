//! Which files import each other.
//!
//! A file imports another one of its crate if a `use`, wherever it is, names the other's module, or something in it:
//!
//! - by a path that begins with `crate`, `self`, `super` or a module declared in the same file. The file is that of the
//!   deepest module in the path. Modules within a file are the file.
//! - Where something is defined does not matter, only where it is imported from: what a module re-exports is imported from
//!   that module.
//! - What a file re-exports from modules below its own does not count if there is nothing else in the file but
//!   declarations of modules and other `use`s.
//! - Paths that are written out where something is used do not count.
//!
//! Two files that import each other are a circle.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{Visit, visit_item_mod};
use syn::{File, Item, ItemMod, ItemUse, UseTree, Visibility};

/// The text of each source file, by its path.
pub(super) type Sources = BTreeMap<PathBuf, String>;

/// Two files that import each other, the first one's path first.
pub(super) type Circle = (PathBuf, PathBuf);

/// All of them.
pub(super) fn circles(sources: &Sources) -> Result<Vec<Circle>> {
    let mut parsed = BTreeMap::new();
    for (path, text) in sources {
        let file = syn::parse_file(text).with_context(|| format!("cannot parse {}", path.display()))?;
        parsed.insert(path.as_path(), file);
    }
    let mut imports = BTreeSet::new();
    for root in roots(&parsed) {
        let mut tree = Tree::default();
        tree.add_file(&parsed, root, &[], &folder_of_root(root));
        for (path, file) in &tree.files {
            let mut reader = Reader {
                tree: &tree,
                module: path.clone(),
                only_exports: has_only_exports(&parsed[file]),
                imported: BTreeSet::new(),
            };
            reader.visit_file(&parsed[file]);
            let others = reader.imported.into_iter().filter(|other| other != file);
            imports.extend(others.map(|other| (*file, other)));
        }
    }
    let is_circle = |(one, other): &(&Path, &Path)| one < other && imports.contains(&(*other, *one));
    let found = imports.iter().filter(|import| is_circle(import));
    Ok(found
        .map(|(one, other)| (one.to_path_buf(), other.to_path_buf()))
        .collect())
}

/// A module by the names from the crate's root.
type Module = Vec<String>;

/// The modules of a crate.
#[derive(Default)]
struct Tree<'a> {
    /// Those that are files.
    files: BTreeMap<Module, &'a Path>,
    /// In which file each is.
    modules: BTreeMap<Module, &'a Path>,
}

type Parsed<'a> = BTreeMap<&'a Path, File>;

impl<'a> Tree<'a> {
    fn add_file(&mut self, parsed: &Parsed<'a>, file: &'a Path, module: &[String], folder: &Path) {
        self.files.insert(module.to_vec(), file);
        self.add_items(parsed, &parsed[file].items, file, module, folder);
    }

    fn add_items(
        &mut self,
        parsed: &Parsed<'a>,
        items: &[Item],
        file: &'a Path,
        module: &[String],
        folder: &Path,
    ) {
        self.modules.insert(module.to_vec(), file);
        for declared in items.iter().filter_map(as_module) {
            let name = declared.ident.to_string();
            let (inner, below) = (folder.join(&name), [module, &[name]].concat());
            if let Some((_, items)) = &declared.content {
                self.add_items(parsed, items, file, &below, &inner);
            } else if let Some(other) = file_of(parsed, &inner) {
                self.add_file(parsed, other, &below, &inner);
            }
        }
    }
}

fn as_module(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(module) => Some(module),
        _ => None,
    }
}

/// The file of a module that is declared, whose children are in this folder.
fn file_of<'a>(parsed: &Parsed<'a>, folder: &Path) -> Option<&'a Path> {
    let places = [folder.with_extension("rs"), folder.join("mod.rs")];
    let found = places
        .iter()
        .find_map(|place| parsed.get_key_value(place.as_path()));
    found.map(|(path, _)| *path)
}

/// The files that no other declares: the crates.
fn roots<'a>(parsed: &Parsed<'a>) -> Vec<&'a Path> {
    let mut declared = BTreeSet::new();
    for (path, file) in parsed {
        // A file is a root, or not; what it declares is where only one of both has it.
        for folder in [folder_of_root(path), path.with_extension("")] {
            for module in file.items.iter().filter_map(as_module) {
                declared.extend(file_of(parsed, &folder.join(module.ident.to_string())));
            }
        }
    }
    let paths = parsed.keys().copied();
    paths.filter(|path| !declared.contains(path)).collect()
}

fn folder_of_root(root: &Path) -> PathBuf {
    root.parent().unwrap_or(Path::new("")).to_path_buf()
}

fn has_only_exports(file: &File) -> bool {
    file.items.iter().all(|item| {
        matches!(item, Item::Mod(module) if module.content.is_none()) || matches!(item, Item::Use(_))
    })
}

/// Reads what a file imports.
struct Reader<'t, 'a> {
    tree: &'t Tree<'a>,
    module: Module,
    only_exports: bool,
    imported: BTreeSet<&'a Path>,
}

impl Reader<'_, '_> {
    /// What a path that began in `at` goes on with. `at` is nothing before its first name.
    fn follow(&mut self, at: Option<Module>, tree: &UseTree, is_export: bool) {
        match tree {
            UseTree::Path(path) => {
                if let Some(next) = self.step(at.as_ref(), &path.ident.to_string()) {
                    self.follow(Some(next), &path.tree, is_export);
                }
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.follow(at.clone(), tree, is_export);
                }
            }
            UseTree::Name(name) => self.end(at, &name.ident.to_string(), is_export),
            UseTree::Rename(rename) => self.end(at, &rename.ident.to_string(), is_export),
            UseTree::Glob(_) => self.imports(at, is_export),
        }
    }

    fn end(&mut self, at: Option<Module>, name: &str, is_export: bool) {
        let next = self.step(at.as_ref(), name);
        self.imports(next.or(at), is_export);
    }

    /// The module of this name in `at`. What is no module is in `at` itself, or, at the beginning of a path, elsewhere.
    fn step(&self, at: Option<&Module>, name: &str) -> Option<Module> {
        let here = at.unwrap_or(&self.module);
        match name {
            "crate" => Some(Module::new()),
            "self" => Some(here.clone()),
            "super" => here.split_last().map(|(_, above)| above.to_vec()),
            _ => {
                let below = [&here[..], &[name.to_owned()]].concat();
                if self.tree.modules.contains_key(&below) {
                    Some(below)
                } else {
                    at.cloned()
                }
            }
        }
    }

    fn imports(&mut self, module: Option<Module>, is_export: bool) {
        let Some(module) = module else { return };
        let is_below = module.starts_with(&self.module);
        if !(is_export && is_below) {
            self.imported.extend(self.tree.modules.get(&module).copied());
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_, '_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_some() {
            // Another crate.
            return;
        }
        let is_export = self.only_exports && !matches!(item.vis, Visibility::Inherited);
        self.follow(None, &item.tree, is_export);
    }
}
