//! A small seeded generator: the same choices in every run.

pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        // xorshift64*, of Vigna.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() >> 33) as usize % bound
    }

    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// One to `length_max` picks.
    pub fn some<T: Clone>(&mut self, from: &[T], length_max: usize) -> Vec<T> {
        let length = 1 + self.below(length_max);
        (0..length).map(|_| self.pick(from)).collect()
    }

    /// Each once, in any order, at least one.
    pub fn subset<T: Clone + PartialEq>(&mut self, from: &[T], length_max: usize) -> Vec<T> {
        let mut chosen: Vec<T> = Vec::new();
        for item in self.some(from, length_max) {
            if !chosen.contains(&item) {
                chosen.push(item);
            }
        }
        chosen
    }
}

/// How many cases to try: the number in this variable of the environment, or else `default`.
pub fn count(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("the variable holds a number"))
}
