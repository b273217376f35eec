//! The places of all rules at once: an automaton over the bytes of a key.
//!
//! Prefixes and patterns are chains of steps. Chains that start alike share their nodes, so that a
//! key that is read up to some byte stands for few of them, however many rules there are.

use std::collections::HashMap;

use crate::pattern::{ByteStep, Bytes};

/// A point between two steps of one chain or several.
#[derive(Debug, Default)]
struct Node {
    /// What it takes without being left.
    stays: Option<Bytes>,
    /// Where one step leads.
    one: Vec<(Bytes, u32)>,
    /// Where what takes any number leads, without taking any.
    many: Vec<(Bytes, u32)>,
    /// Chains that end here.
    ends: Vec<u32>,
}

/// What it means to be at several nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Whatever follows makes no difference.
    Settled,
    /// Nothing but this byte makes a difference.
    Until(u8),
    /// Several may.
    Open,
}

/// The automaton of one bucket; what was found of it lies with whoever walks it.
#[derive(Debug)]
pub struct Automaton {
    nodes: Vec<Node>,
    chains: u32,
    known: HashMap<Vec<ByteStep>, u32>,
    /// Bytes that no step tells apart are of one class.
    classes: [u8; 256],
    /// A byte of each class.
    examples: Vec<u8>,
}

impl Automaton {
    /// One without chains.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            chains: 0,
            known: HashMap::new(),
            classes: [0; 256],
            examples: Vec::new(),
        }
    }

    /// Adds a chain, if there is no such yet; its number.
    pub fn add(&mut self, steps: Vec<ByteStep>) -> u32 {
        if let Some(chain) = self.known.get(&steps) {
            return *chain;
        }
        let mut at = 0_u32;
        for step in &steps {
            at = self.next(at, *step);
        }
        let chain = self.chains;
        self.chains += 1;
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.ends.push(chain);
        }
        self.known.insert(steps, chain);
        chain
    }

    fn next(&mut self, at: u32, step: ByteStep) -> u32 {
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let Some(node) = self.nodes.get_mut(at as usize) else { return at };
        let ways = if step.many { &mut node.many } else { &mut node.one };
        if let Some((_, to)) = ways.iter().find(|(takes, _)| *takes == step.takes) {
            return *to;
        }
        ways.push((step.takes, new));
        self.nodes.push(Node { stays: step.many.then_some(step.takes), ..Node::default() });
        new
    }

    /// Tells bytes apart, once all chains are there.
    pub fn finish(&mut self) {
        let mut taken: Vec<Bytes> = vec![Bytes::Exact(b'/')];
        for node in &self.nodes {
            for (takes, _) in node.one.iter().chain(&node.many) {
                if !taken.contains(takes) {
                    taken.push(*takes);
                }
            }
        }
        let mut classes: HashMap<Vec<bool>, u8> = HashMap::new();
        self.examples.clear();
        for byte in 0..=u8::MAX {
            let looks: Vec<bool> = taken.iter().map(|takes| takes.has(byte)).collect();
            let next = u8::try_from(classes.len()).unwrap_or(u8::MAX);
            let class = *classes.entry(looks).or_insert(next);
            if class == next && self.examples.len() == usize::from(next) {
                self.examples.push(byte);
            }
            self.classes[usize::from(byte)] = class;
        }
        self.known = HashMap::new();
    }

    /// How many classes of bytes there are.
    pub const fn width(&self) -> usize {
        self.examples.len()
    }

    /// The class of each byte.
    pub const fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// The nodes before the first byte.
    pub fn start(&self) -> Box<[u32]> {
        let mut set = Vec::new();
        self.enter(0, &mut set);
        sorted(set)
    }

    /// The nodes behind a byte of this class.
    pub fn step(&self, set: &[u32], class: u8) -> Box<[u32]> {
        let byte = self.examples.get(usize::from(class)).copied().unwrap_or_default();
        let mut next = Vec::new();
        for at in set {
            let Some(node) = self.nodes.get(*at as usize) else { continue };
            if node.stays.is_some_and(|takes| takes.has(byte)) {
                self.enter(*at, &mut next);
            }
            for (_, to) in node.one.iter().filter(|(takes, _)| takes.has(byte)) {
                self.enter(*to, &mut next);
            }
        }
        sorted(next)
    }

    /// Reaches a node, and those behind it that take nothing to get to.
    fn enter(&self, at: u32, set: &mut Vec<u32>) {
        set.push(at);
        for (_, to) in self.nodes.get(at as usize).map(|node| node.many.as_slice()).unwrap_or_default() {
            self.enter(*to, set);
        }
    }

    /// The chains that match a key which ends here, in order.
    pub fn matched(&self, set: &[u32]) -> Vec<u32> {
        let ends = set.iter().filter_map(|at| self.nodes.get(*at as usize)).flat_map(|node| &node.ends);
        let mut matched: Vec<u32> = ends.copied().collect();
        matched.sort_unstable();
        matched.dedup();
        matched
    }

    /// What may still make a difference.
    pub fn ahead(&self, set: &[u32]) -> Ahead {
        let all = self.examples.iter().zip(0..=u8::MAX);
        let mut leaving = all.filter(|(_, class)| *self.step(set, *class) != *set);
        match (leaving.next(), leaving.next()) {
            (None, _) => Ahead::Settled,
            (Some((byte, class)), None) if self.classes.iter().filter(|of| **of == class).count() == 1 => {
                Ahead::Until(*byte)
            }
            _ => Ahead::Open,
        }
    }
}

fn sorted(mut set: Vec<u32>) -> Box<[u32]> {
    set.sort_unstable();
    set.dedup();
    set.into_boxed_slice()
}
