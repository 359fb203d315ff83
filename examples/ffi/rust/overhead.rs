//! How long one predict_into takes, of one sample and of 256, on a net so small that the call is most of it.

use bp::{Activation, Initializer, Net, Workspace};
use std::time::Instant;

/// Nanoseconds a sample, the least of 20 measurements.
fn measure(net: &Net, workspace: &mut Workspace, batch: usize) -> bp::Result<f64> {
    let x = vec![0.5; batch * net.input_count()];
    let mut y = vec![0.0; batch * net.output_count()];
    let calls = 25600 / batch;
    let mut least = f64::INFINITY;
    for _ in 0..20 {
        let begin = Instant::now();
        for _ in 0..calls {
            net.predict_into(workspace, &x, &mut y)?;
        }
        least = least.min(begin.elapsed().as_nanos() as f64 / (calls * batch) as f64);
    }
    Ok(least)
}

fn main() -> bp::Result<()> {
    let mut net = Net::new(2)?;
    for units in [3, 2, 1] {
        net.add_dense(units, Activation::Sigmoid)?;
    }
    net.initialize(Initializer::GlorotUniform, 42)?;
    let mut workspace = Workspace::new(&net, 256)?;
    println!("one sample: {:.1} ns", measure(&net, &mut workspace, 1)?);
    println!("256 samples: {:.1} ns each", measure(&net, &mut workspace, 256)?);
    Ok(())
}
