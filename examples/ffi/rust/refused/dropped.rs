//! Refused by the compiler, E0382: a net that is gone.

fn main() {
    let net = bp::Net::new(2).unwrap();
    drop(net);
    println!("{}", net.input_count());
}
