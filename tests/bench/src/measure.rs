//! Alternating runs and their medians.

/// Runs of each contestant that count, after one that does not.
const ROUNDS: usize = 7;

/// Which way a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Costs.
    Lower,
    /// Throughput.
    Higher,
}

/// One figure of a row, under a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
    pub better: Better,
}

impl Metric {
    /// A figure that is better when it is lower.
    pub const fn cost(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, better: Better::Lower }
    }

    /// How many times better `ours` is than `theirs`.
    pub fn ratio(&self, ours: f64, theirs: f64) -> f64 {
        match self.better {
            Better::Lower => theirs / ours,
            Better::Higher => ours / theirs,
        }
    }
}

/// Somebody who is measured: a library in one of its forms. Each run gives one value for each metric of its row.
pub struct Contestant {
    name: &'static str,
    form: &'static str,
    run: Box<dyn FnMut() -> Vec<f64>>,
}

impl Contestant {
    /// A contestant by what it does in one run.
    pub fn new(name: &'static str, form: &'static str, run: impl FnMut() -> Vec<f64> + 'static) -> Self {
        Self { name, form, run: Box::new(run) }
    }

    /// A figure from elsewhere, which is not measured here.
    pub fn claimed(name: &'static str, values: &[f64]) -> Self {
        let values = values.to_vec();
        Self::new(name, "", move || values.clone())
    }
}

/// What is measured together. Its contestants are made when it is its turn, so that no other row's threads disturb it.
#[derive(Clone, Copy)]
pub struct Row {
    pub metrics: &'static [Metric],
    pub contestants: fn() -> Vec<Contestant>,
}

impl Row {
    /// Whether one of its names begins with one of these; true if there are none.
    pub fn is_named(&self, beginnings: &[String]) -> bool {
        let begins = |metric: &Metric| beginnings.iter().any(|beginning| metric.name.starts_with(beginning));
        beginnings.is_empty() || self.metrics.iter().any(begins)
    }

    /// Runs all contestants in turns, and takes the median of each.
    pub fn measure(&self) -> Vec<Outcome> {
        let mut contestants = (self.contestants)();
        let mut runs: Vec<Vec<Vec<f64>>> = vec![Vec::new(); contestants.len()];
        for round in 0..=ROUNDS {
            for (contestant, runs) in contestants.iter_mut().zip(&mut runs) {
                let values = (contestant.run)();
                if round > 0 {
                    runs.push(values);
                }
            }
        }
        let outcome = |(index, metric): (usize, &Metric)| {
            let figures = contestants.iter().zip(&runs).map(|(contestant, runs)| {
                let values = runs.iter().map(|values| values[index]).collect();
                Figure::of(contestant, values)
            });
            Outcome { metric: *metric, figures: best_forms(metric, figures.collect()) }
        };
        self.metrics.iter().enumerate().map(outcome).collect()
    }
}

/// The median of one contestant.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub form: &'static str,
    pub value: f64,
    /// How far the runs lie apart, without the best and the worst, as a part of the median.
    pub spread: f64,
}

impl Figure {
    fn of(contestant: &Contestant, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let value = values[values.len() / 2];
        let spread = (values[values.len() - 2] - values[1]) / value;
        Self { name: contestant.name, form: contestant.form, value, spread }
    }
}

/// The figures of all contestants under one metric, each in its best form.
pub struct Outcome {
    pub metric: Metric,
    pub figures: Vec<Figure>,
}

fn best_forms(metric: &Metric, figures: Vec<Figure>) -> Vec<Figure> {
    let mut best: Vec<Figure> = Vec::new();
    for figure in figures {
        match best.iter_mut().find(|earlier| earlier.name == figure.name) {
            None => best.push(figure),
            Some(earlier) if metric.ratio(figure.value, earlier.value) > 1.0 => *earlier = figure,
            Some(_) => {}
        }
    }
    best
}
