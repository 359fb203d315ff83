//! What ../c/digits.c does, in Rust: an error, a net that learns digits, predictions, a model file.

use bp::{
    Activation, Dataset, Initializer, Loss, Method, Net, Optimizer, OptimizerSetting, Progress, Scaling, Trainer, TrainerSetting, Workspace,
};
use std::error::Error;

const TRAINING: usize = 1438;
const PIXELS: usize = 64;
const CLASSES: usize = 10;

fn read_digits(path: &str) -> Result<(Vec<f32>, Vec<u32>), Box<dyn Error>> {
    let (mut pixels, mut digits) = (Vec::new(), Vec::new());
    for line in std::fs::read_to_string(path)?.lines() {
        let (row, digit) = line.rsplit_once(',').ok_or("a line has no comma")?;
        for pixel in row.split(',') {
            pixels.push(pixel.parse::<f32>()?);
        }
        digits.push(digit.parse::<u32>()?);
    }
    if digits.len() <= TRAINING || pixels.len() != digits.len() * PIXELS {
        return Err(format!("{}: it has {} numbers in {} lines", path, pixels.len(), digits.len()).into());
    }
    Ok((pixels, digits))
}

fn print_progress(progress: &Progress) -> bool {
    if progress.epoch % 10 == 0 {
        println!("epoch {} of {}: loss {:.4}", progress.epoch, progress.epochs, progress.training_loss);
    }
    true // go on
}

fn largest(outputs: &[f32]) -> usize {
    (1..outputs.len()).fold(0, |answer, k| if outputs[k] > outputs[answer] { k } else { answer })
}

/// 64-32-10, which scales its inputs.
fn make_net(training: &Dataset) -> bp::Result<Net> {
    let (offset, scale) = training.fit_scaling(Scaling::MinMax)?;
    let mut net = Net::new(PIXELS)?;
    net.add_dense(32, Activation::Tanh)?;
    net.add_dense(CLASSES, Activation::Softmax)?;
    net.initialize(Initializer::GlorotUniform, 42)?;
    net.set_input_scaling(&offset, &scale)?;
    Ok(net)
}

fn train(net: &mut Net, training: &Dataset) -> bp::Result<()> {
    let mut optimizer = Optimizer::new(Method::Adam, net)?;
    optimizer.set(OptimizerSetting::LearningRate, 0.005)?;
    let mut trainer = Trainer::new(net, &mut optimizer, Loss::CrossEntropy, training)?;
    trainer.set(TrainerSetting::Epochs, 20.0)?;
    trainer.set(TrainerSetting::BatchSize, 32.0)?;
    trainer.set(TrainerSetting::Seed, 42.0)?;
    trainer.run(print_progress)
}

fn run(data_path: &str, model_path: &str) -> Result<(), Box<dyn Error>> {
    let (pixels, digits) = read_digits(data_path)?;
    let (training_pixels, test_pixels) = pixels.split_at(TRAINING * PIXELS);
    let (training_digits, test_digits) = digits.split_at(TRAINING);
    println!("libbp {}", bp::version());
    if let Err(error) = Net::new(0) {
        println!("refused: {}", error);
    }

    let training = Dataset::new(training_pixels, training_digits, CLASSES)?;
    let mut net = make_net(&training)?;
    train(&mut net, &training)?;

    // predict many, and one
    let mut workspace = Workspace::new(&net, 64)?;
    let outputs = net.predict(&mut workspace, test_pixels)?;
    let right = outputs.chunks(CLASSES).zip(test_digits).filter(|(output, digit)| largest(output) == **digit as usize).count();
    println!("accuracy {:.4} on {} digits", right as f64 / test_digits.len() as f64, test_digits.len());
    let one = net.predict(&mut workspace, &test_pixels[..PIXELS])?;
    println!("the first is a {}, and taken for a {}", test_digits[0], largest(&one));

    // save and load
    net.save(model_path)?;
    let loaded = Net::load(model_path)?;
    let again = loaded.predict(&mut Workspace::new(&loaded, 64)?, test_pixels)?;
    println!("loaded: {}", if again == outputs { "the same answers" } else { "other answers" });
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 3 {
        eprintln!("usage: digits DIGITS.CSV MODEL.safetensors");
        std::process::exit(2);
    }
    if let Err(error) = run(&arguments[1], &arguments[2]) {
        eprintln!("digits: {}", error);
        std::process::exit(1);
    }
}
