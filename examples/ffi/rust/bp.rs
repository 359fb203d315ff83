//! As much of libbp as the programs beside it need: nets in f32, trained and run. Objects end when they are dropped.

use std::any::Any;
use std::ffi::{CStr, CString};
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::null_mut;

/// The C side: opaque structs, and the calls that are used.
mod c {
    use super::*;

    #[repr(C)]
    pub struct Net {
        _private: [u8; 0],
    }

    #[repr(C)]
    pub struct Workspace {
        _private: [u8; 0],
    }

    #[repr(C)]
    pub struct Dataset {
        _private: [u8; 0],
    }

    #[repr(C)]
    pub struct Optimizer {
        _private: [u8; 0],
    }

    #[repr(C)]
    pub struct Trainer {
        _private: [u8; 0],
    }

    pub type ProgressFunction = extern "C" fn(context: *mut c_void, progress: *const Progress) -> c_int;

    #[link(name = "bp")]
    extern "C" {
        pub fn bp_version() -> *const c_char;
        pub fn bp_last_error() -> *const c_char;

        pub fn bp_net_create(net: *mut *mut Net, dtype: c_int, n_inputs: usize) -> c_int;
        pub fn bp_net_load_as(net: *mut *mut Net, path: *const c_char, dtype: c_int, allow_nonfinite: c_int) -> c_int;
        pub fn bp_net_destroy(net: *mut Net);
        pub fn bp_net_input_count(net: *const Net) -> usize;
        pub fn bp_net_output_count(net: *const Net) -> usize;
        pub fn bp_net_add_dense(net: *mut Net, n_units: usize, activation: Activation, bias: c_int) -> c_int;
        pub fn bp_net_initialize(net: *mut Net, initializer: Initializer, seed: u64) -> c_int;
        pub fn bp_net_set_input_scaling_f32(net: *mut Net, offset: *const f32, scale: *const f32) -> c_int;
        pub fn bp_net_predict_f32(net: *const Net, ws: *mut Workspace, n: usize, x: *const f32, y: *mut f32) -> c_int;
        pub fn bp_net_save(net: *const Net, path: *const c_char) -> c_int;

        pub fn bp_workspace_create(ws: *mut *mut Workspace, net: *const Net, max_batch: usize) -> c_int;
        pub fn bp_workspace_destroy(ws: *mut Workspace);

        pub fn bp_dataset_create_classes_f32(
            dataset: *mut *mut Dataset,
            n_samples: usize,
            n_inputs: usize,
            n_classes: usize,
            inputs: *const f32,
            classes: *const u32,
        ) -> c_int;
        pub fn bp_dataset_destroy(dataset: *mut Dataset);
        pub fn bp_dataset_input_count(dataset: *const Dataset) -> usize;
        pub fn bp_dataset_fit_scaling_f32(dataset: *const Dataset, scaling: Scaling, offset: *mut f32, scale: *mut f32) -> c_int;

        pub fn bp_optimizer_create(opt: *mut *mut Optimizer, method: Method, net: *const Net) -> c_int;
        pub fn bp_optimizer_destroy(opt: *mut Optimizer);
        pub fn bp_optimizer_set(opt: *mut Optimizer, setting: OptimizerSetting, value: f64) -> c_int;

        pub fn bp_trainer_create(
            trainer: *mut *mut Trainer,
            net: *mut Net,
            opt: *mut Optimizer,
            loss: Loss,
            training: *const Dataset,
        ) -> c_int;
        pub fn bp_trainer_destroy(trainer: *mut Trainer);
        pub fn bp_trainer_set(trainer: *mut Trainer, setting: TrainerSetting, value: f64) -> c_int;
        pub fn bp_trainer_set_progress(
            trainer: *mut Trainer,
            function: Option<ProgressFunction>,
            context: *mut c_void,
            when: c_int,
        ) -> c_int;
        pub fn bp_trainer_run(trainer: *mut Trainer) -> c_int;
    }
}

const F32: c_int = 1;
const PROGRESS_EPOCH: c_int = 0;

/// Statuses of errors.
pub const ARGUMENT: i32 = 1;
pub const STATE: i32 = 3;
pub const IO: i32 = 5;

#[repr(C)]
pub enum Activation {
    Sigmoid = 1,
    Tanh = 2,
    Softmax = 13,
}

#[repr(C)]
pub enum Initializer {
    GlorotUniform = 2,
}

#[repr(C)]
pub enum Scaling {
    MinMax = 0,
    Standard = 1,
}

#[repr(C)]
pub enum Method {
    Sgd = 0,
    Adam = 5,
}

#[repr(C)]
pub enum OptimizerSetting {
    LearningRate = 0,
    Momentum = 1,
}

#[repr(C)]
pub enum Loss {
    Mse = 0,
    CrossEntropy = 4,
}

#[repr(C)]
pub enum TrainerSetting {
    Epochs = 0,
    BatchSize = 1,
    Seed = 2,
}

/// What a progress function is told: the beginning of C's struct.
#[repr(C)]
pub struct Progress {
    size: usize,
    pub is_epoch_end: c_int,
    pub epoch: u64,
    pub epochs: u64,
    pub batch: u64,
    pub batches: u64,
    pub step: u64,
    pub learning_rate: f64,
    pub training_loss: f64,
}

/// A failure with the library's sentence.
#[derive(Debug)]
pub struct Error {
    pub status: i32,
    pub sentence: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

fn check(status: c_int) -> Result<()> {
    if status == 0 {
        return Ok(());
    }
    let sentence = unsafe { CStr::from_ptr(c::bp_last_error()) };
    Err(Error { status, sentence: sentence.to_string_lossy().into_owned() })
}

fn refuse<T>(sentence: String) -> Result<T> {
    Err(Error { status: ARGUMENT, sentence })
}

fn c_string(path: &str) -> Result<CString> {
    CString::new(path).or_else(|_| refuse(format!("the path {:?} has a NUL in it", path)))
}

/// The library's version.
pub fn version() -> &'static str {
    unsafe { CStr::from_ptr(c::bp_version()) }.to_str().unwrap_or("")
}

/// A feed-forward network. Many threads may use one through &Net.
pub struct Net {
    handle: *mut c::Net,
}

unsafe impl Send for Net {}
unsafe impl Sync for Net {}

impl Net {
    pub fn new(inputs: usize) -> Result<Net> {
        let mut handle = null_mut();
        check(unsafe { c::bp_net_create(&mut handle, F32, inputs) })?;
        Ok(Net { handle })
    }

    pub fn load(path: &str) -> Result<Net> {
        let mut handle = null_mut();
        check(unsafe { c::bp_net_load_as(&mut handle, c_string(path)?.as_ptr(), F32, 0) })?;
        Ok(Net { handle })
    }

    pub fn input_count(&self) -> usize {
        unsafe { c::bp_net_input_count(self.handle) }
    }

    pub fn output_count(&self) -> usize {
        unsafe { c::bp_net_output_count(self.handle) }
    }

    /// Adds a layer with bias.
    pub fn add_dense(&mut self, units: usize, activation: Activation) -> Result<()> {
        check(unsafe { c::bp_net_add_dense(self.handle, units, activation, 1) })
    }

    pub fn initialize(&mut self, initializer: Initializer, seed: u64) -> Result<()> {
        check(unsafe { c::bp_net_initialize(self.handle, initializer, seed) })
    }

    /// offset and scale: input_count numbers each.
    pub fn set_input_scaling(&mut self, offset: &[f32], scale: &[f32]) -> Result<()> {
        let wanted = self.input_count();
        if offset.len() != wanted || scale.len() != wanted {
            return refuse(format!(
                "Net::set_input_scaling: offset has {} numbers, scale {}; they are to have {}",
                offset.len(),
                scale.len(),
                wanted
            ));
        }
        check(unsafe { c::bp_net_set_input_scaling_f32(self.handle, offset.as_ptr(), scale.as_ptr()) })
    }

    /// Writes output_count numbers of y for every input_count numbers of x.
    pub fn predict_into(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let (inputs, outputs) = (self.input_count(), self.output_count());
        let n = x.len() / inputs;
        if x.len() % inputs != 0 || y.len() % outputs != 0 || y.len() / outputs != n {
            return refuse(format!("Net::predict_into: x has {} numbers, y {}; a sample has {} and {}", x.len(), y.len(), inputs, outputs));
        }
        check(unsafe { c::bp_net_predict_f32(self.handle, workspace.handle, n, x.as_ptr(), y.as_mut_ptr()) })
    }

    /// The same into a new vector.
    pub fn predict(&self, workspace: &mut Workspace, x: &[f32]) -> Result<Vec<f32>> {
        let mut y = vec![0.0; x.len() / self.input_count() * self.output_count()];
        self.predict_into(workspace, x, &mut y)?;
        Ok(y)
    }

    pub fn save(&self, path: &str) -> Result<()> {
        check(unsafe { c::bp_net_save(self.handle, c_string(path)?.as_ptr()) })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        unsafe { c::bp_net_destroy(self.handle) }
    }
}

/// What one thread at a time uses a net with.
pub struct Workspace {
    handle: *mut c::Workspace,
}

unsafe impl Send for Workspace {}

impl Workspace {
    pub fn new(net: &Net, max_batch: usize) -> Result<Workspace> {
        let mut handle = null_mut();
        check(unsafe { c::bp_workspace_create(&mut handle, net.handle, max_batch) })?;
        Ok(Workspace { handle })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        unsafe { c::bp_workspace_destroy(self.handle) }
    }
}

/// A copy of samples with their classes.
pub struct Dataset {
    handle: *mut c::Dataset,
}

impl Dataset {
    /// inputs: as many numbers for each of the classes.
    pub fn new(inputs: &[f32], classes: &[u32], class_count: usize) -> Result<Dataset> {
        if classes.is_empty() || inputs.len() % classes.len() != 0 {
            return refuse(format!("Dataset::new: {} inputs cannot be divided among {} samples", inputs.len(), classes.len()));
        }
        let (n, width) = (classes.len(), inputs.len() / classes.len());
        let mut handle = null_mut();
        check(unsafe { c::bp_dataset_create_classes_f32(&mut handle, n, width, class_count, inputs.as_ptr(), classes.as_ptr()) })?;
        Ok(Dataset { handle })
    }

    /// Offset and scale for Net::set_input_scaling.
    pub fn fit_scaling(&self, scaling: Scaling) -> Result<(Vec<f32>, Vec<f32>)> {
        let n = unsafe { c::bp_dataset_input_count(self.handle) };
        let (mut offset, mut scale) = (vec![0.0; n], vec![0.0; n]);
        check(unsafe { c::bp_dataset_fit_scaling_f32(self.handle, scaling, offset.as_mut_ptr(), scale.as_mut_ptr()) })?;
        Ok((offset, scale))
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        unsafe { c::bp_dataset_destroy(self.handle) }
    }
}

/// Moves the parameters of one net.
pub struct Optimizer {
    handle: *mut c::Optimizer,
}

impl Optimizer {
    pub fn new(method: Method, net: &Net) -> Result<Optimizer> {
        let mut handle = null_mut();
        check(unsafe { c::bp_optimizer_create(&mut handle, method, net.handle) })?;
        Ok(Optimizer { handle })
    }

    pub fn set(&mut self, setting: OptimizerSetting, value: f64) -> Result<()> {
        check(unsafe { c::bp_optimizer_set(self.handle, setting, value) })
    }
}

impl Drop for Optimizer {
    fn drop(&mut self) {
        unsafe { c::bp_optimizer_destroy(self.handle) }
    }
}

/// Trains a net, which nobody else uses while the trainer lives.
pub struct Trainer<'a> {
    handle: *mut c::Trainer,
    used: PhantomData<(&'a mut Net, &'a mut Optimizer, &'a Dataset)>,
}

impl<'a> Trainer<'a> {
    pub fn new(net: &'a mut Net, optimizer: &'a mut Optimizer, loss: Loss, training: &'a Dataset) -> Result<Trainer<'a>> {
        let mut handle = null_mut();
        check(unsafe { c::bp_trainer_create(&mut handle, net.handle, optimizer.handle, loss, training.handle) })?;
        Ok(Trainer { handle, used: PhantomData })
    }

    pub fn set(&mut self, setting: TrainerSetting, value: f64) -> Result<()> {
        check(unsafe { c::bp_trainer_set(self.handle, setting, value) })
    }

    /// Trains, and calls function at each epoch's end; it goes on while that returns true. A panic of the function comes out of run.
    pub fn run<F: FnMut(&Progress) -> bool>(&mut self, function: F) -> Result<()> {
        let mut call = Call { function, panic: None };
        let context: *mut Call<F> = &mut call;
        check(unsafe { c::bp_trainer_set_progress(self.handle, Some(progress::<F>), context.cast(), PROGRESS_EPOCH) })?;
        let result = check(unsafe { c::bp_trainer_run(self.handle) });
        check(unsafe { c::bp_trainer_set_progress(self.handle, None, null_mut(), PROGRESS_EPOCH) })?; // call ends with this function
        if let Some(panic) = call.panic {
            resume_unwind(panic);
        }
        result
    }
}

impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        unsafe { c::bp_trainer_destroy(self.handle) }
    }
}

/// What C's context points to while a trainer runs.
struct Call<F> {
    function: F,
    panic: Option<Box<dyn Any + Send>>,
}

/// What C calls. A panic must not pass C's frames: it is kept, and stops the run.
extern "C" fn progress<F: FnMut(&Progress) -> bool>(context: *mut c_void, progress: *const Progress) -> c_int {
    let call = unsafe { &mut *context.cast::<Call<F>>() };
    let progress = unsafe { &*progress };
    match catch_unwind(AssertUnwindSafe(|| (call.function)(progress))) {
        Ok(go_on) => c_int::from(!go_on),
        Err(panic) => {
            call.panic = Some(panic);
            1
        }
    }
}
