//! Refused by the compiler, E0505: a dataset that ends before its trainer.

fn main() {
    let mut net = bp::Net::new(2).unwrap();
    let mut optimizer = bp::Optimizer::new(bp::Method::Sgd, &net).unwrap();
    let dataset = bp::Dataset::new(&[0.0, 1.0], &[0], 1).unwrap();
    let mut trainer = bp::Trainer::new(&mut net, &mut optimizer, bp::Loss::Mse, &dataset).unwrap();
    drop(dataset);
    trainer.run(|_| true).unwrap();
}
