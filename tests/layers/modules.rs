//! All files of the crate together: which module uses which, and where modules use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{self, Named, Source};

/// Where a module is: `["policy", "model"]`; the crate's root is empty.
pub type Module = Vec<String>;

pub struct Crate {
    files: BTreeMap<Module, Source>,
    paths: BTreeMap<Module, String>,
}

/// One module using another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Use {
    pub from: Module,
    pub to: Module,
    /// A folder's own file that passes on what a module in it owns does not depend on that module.
    pub reexport: bool,
}

impl Crate {
    /// From paths below `src/` and the text of the files; `main.rs` is a crate of its own and left out.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let (mut sources, mut paths) = (BTreeMap::new(), BTreeMap::new());
        for (path, text) in files.into_iter().filter(|(path, _)| path != "main.rs") {
            let module = module_of(&path);
            sources.insert(module.clone(), source::read(&text));
            paths.insert(module, path);
        }
        let tests: Vec<Module> = sources
            .iter()
            .flat_map(|(module, source)| source.test_modules.iter().map(|name| child(module, name)))
            .collect();
        let is_test = |module: &Module| tests.iter().any(|test| module.starts_with(test));
        sources.retain(|module, _| !is_test(module));
        Self { files: sources, paths }
    }

    /// The modules that are not compiled for tests only, with their files.
    pub fn files(&self) -> impl Iterator<Item = (&Module, &str, &Source)> {
        self.files.iter().map(|(module, source)| (module, self.paths[module].as_str(), source))
    }

    pub fn path(&self, module: &Module) -> &str {
        &self.paths[module]
    }

    /// Each use of a module of this crate by another one.
    pub fn uses(&self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        for (from, source) in &self.files {
            for named in &source.named {
                let Some(path) = self.absolute(from, named) else { continue };
                let to = self.owner(&path, 0);
                if to != *from {
                    uses.insert(Use { from: from.clone(), to, reexport: named.reexported });
                }
            }
        }
        uses
    }

    /// A written path from the crate's root on; `None` if it leads out of the crate.
    fn absolute(&self, from: &Module, named: &Named) -> Option<Vec<String>> {
        let mut base: Vec<String> = from.iter().chain(&named.inside).cloned().collect();
        let mut rest = named.path.as_slice();
        match rest.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {}
            first if self.files.contains_key(&child(&base, first)) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|first| first == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module that defines what `path` leads to, through imports and re-exports.
    fn owner(&self, path: &[String], hops: usize) -> Module {
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let deeper = child(&module, name);
            if self.files.contains_key(&deeper) {
                module = deeper;
                continue;
            }
            // More hops than any real chain of re-exports has: two globs that import each other.
            if hops < 8
                && let Some(target) = self.imported(&module, name)
            {
                return self.owner(&[target.as_slice(), &path[at + 1..]].concat(), hops + 1);
            }
            break;
        }
        module
    }

    /// Where `name` really is, if `module` does not define but imports it.
    fn imported(&self, module: &Module, name: &str) -> Option<Vec<String>> {
        let source = self.files.get(module)?;
        if source.defined.iter().any(|defined| defined == name) {
            return None;
        }
        let imports = || source.named.iter().filter(|named| named.inside.is_empty());
        if let Some(import) = imports().find(|named| named.imported_as.as_deref() == Some(name)) {
            return self.absolute(module, import);
        }
        imports().filter(|named| named.imported_as.as_deref() == Some("*")).find_map(|glob| {
            let mut target = self.absolute(module, glob)?;
            target.pop();
            let target = self.owner(&target, 0);
            let defines = self.files.get(&target)?.defined.iter().any(|defined| defined == name);
            defines.then(|| child(&target, name))
        })
    }
}

fn child(module: &[String], name: &str) -> Module {
    let mut child = module.to_vec();
    child.push(name.to_owned());
    child
}

fn module_of(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Module::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The circles among the modules of one folder, and between them and the folder's own file, as
/// `policy: model → text → model`.
pub fn circles(uses: &BTreeSet<Use>) -> Vec<String> {
    let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for it in uses {
        let shared = it.from.iter().zip(&it.to).take_while(|(from, to)| from == to).count();
        if it.reexport && it.from.len() == shared {
            continue;
        }
        let name = |module: &Module| module.get(shared).cloned().unwrap_or_else(|| "mod.rs".to_owned());
        let folder = folders.entry(it.from[..shared].to_vec()).or_default();
        folder.entry(name(&it.from)).or_default().insert(name(&it.to));
    }
    let mut found = Vec::new();
    for (folder, edges) in &folders {
        let name = if folder.is_empty() { "the crate".to_owned() } else { folder.join("::") };
        let mut done = BTreeSet::new();
        for start in edges.keys() {
            if let Some(circle) = circle_from(start, edges, &mut Vec::new(), &mut done) {
                found.push(format!("{name}: {}", circle.join(" → ")));
            }
        }
    }
    found
}

fn circle_from<'a>(
    module: &'a str,
    edges: &'a BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = way.iter().position(|passed| *passed == module) {
        return Some([&way[start..], &[module]].concat());
    }
    if !done.insert(module) {
        return None;
    }
    way.push(module);
    let next = edges.get(module).into_iter().flatten();
    let circle = next.into_iter().find_map(|to| circle_from(to, edges, way, done));
    way.pop();
    circle
}
