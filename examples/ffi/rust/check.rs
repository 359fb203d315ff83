//! Wrong use of bp.rs: rustc --test.

use bp::*;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// result is to be an error of this status whose sentence has this text.
fn refused<T>(result: Result<T>, status: i32, text: &str) {
    match result {
        Ok(_) => panic!("nothing failed instead of \"{}\"", text),
        Err(error) => assert!(error.status == status && error.sentence.contains(text), "\"{}\" is expected, not {:?}", text, error),
    }
}

/// A net 2-2 with softmax.
fn make_net() -> Net {
    let mut net = Net::new(2).unwrap();
    net.add_dense(2, Activation::Softmax).unwrap();
    net.initialize(Initializer::GlorotUniform, 42).unwrap();
    net
}

/// Exclusive or.
fn make_dataset() -> Dataset {
    Dataset::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[0, 1, 1, 0], 2).unwrap()
}

#[test]
fn errors() {
    refused(Net::new(0), ARGUMENT, "bp_net_create: n_inputs is 0; it can be 1 to");
    refused(Net::load("no such file"), IO, "no such file");
    refused(Net::load("with\0in it"), ARGUMENT, "NUL");
    refused(make_net().add_dense(1, Activation::Tanh), STATE, "bp_net_add_dense");
    let (one, other) = (make_net(), make_net());
    refused(one.predict(&mut Workspace::new(&other, 1).unwrap(), &[0.0, 1.0]), STATE, "bp_net_predict_f32");
    refused(Workspace::new(&one, 0), ARGUMENT, "bp_workspace_create");
    refused(Optimizer::new(Method::Sgd, &one).unwrap().set(OptimizerSetting::LearningRate, -1.0), ARGUMENT, "bp_optimizer_set");
}

#[test]
fn sizes() {
    let mut net = make_net();
    let mut workspace = Workspace::new(&net, 4).unwrap();
    refused(net.predict(&mut workspace, &[0.0; 3]), ARGUMENT, "x has 3 numbers");
    refused(net.predict_into(&mut workspace, &[0.0; 4], &mut [0.0; 3]), ARGUMENT, "y 3");
    refused(net.predict_into(&mut workspace, &[0.0; 4], &mut [0.0; 6]), ARGUMENT, "y 6");
    assert!(net.predict(&mut workspace, &[]).unwrap().is_empty());
    refused(net.set_input_scaling(&[0.0], &[1.0, 1.0]), ARGUMENT, "offset has 1");
    refused(Dataset::new(&[0.0; 5], &[0, 1], 2), ARGUMENT, "5 inputs");
    refused(Dataset::new(&[], &[], 2), ARGUMENT, "0 inputs");
    refused(Dataset::new(&[0.0, 1.0], &[0, 7], 2), ARGUMENT, "bp_dataset_create_classes_f32");
}

#[test]
fn panics() {
    let (mut net, dataset) = (make_net(), make_dataset());
    let mut optimizer = Optimizer::new(Method::Adam, &net).unwrap();
    let mut trainer = Trainer::new(&mut net, &mut optimizer, Loss::CrossEntropy, &dataset).unwrap();
    trainer.set(TrainerSetting::Epochs, 5.0).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| trainer.run(|_| std::panic::panic_any("enough")))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"enough"));

    let mut epochs = Vec::new();
    trainer
        .run(|progress| {
            epochs.push(progress.epoch);
            progress.epoch < 3
        })
        .unwrap();
    assert_eq!(epochs, [2, 3]);
}

#[test]
fn threads() {
    let net = make_net();
    let expected = net.predict(&mut Workspace::new(&net, 1).unwrap(), &[0.0, 1.0]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(net.predict(&mut Workspace::new(&net, 1).unwrap(), &[0.0, 1.0]).unwrap(), expected));
        }
    });
}
