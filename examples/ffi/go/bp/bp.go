// Package bp is as much of libbp as the programs beside it need: nets in float32, trained and run. Objects end by Close; a closed one gives errors.
package bp

/*
#cgo pkg-config: bp
#include <bp/bp.h>
#include <stdlib.h>

int bpGoProgress(uintptr_t handle, bp_progress *progress); // in progress.go

static int call_progress(void *context, const bp_progress *progress)
{
    return bpGoProgress((uintptr_t)context, (bp_progress *)progress);
}

// In C, because a handle of Go is a number and no pointer.
static bp_status set_progress(bp_trainer *trainer, uintptr_t handle)
{
    return bp_trainer_set_progress(trainer, handle ? call_progress : NULL, (void *)handle, BP_PROGRESS_EPOCH);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

type (
	Status           C.bp_status
	Activation       C.bp_activation
	Initializer      C.bp_initializer
	Loss             C.bp_loss
	Method           C.bp_method
	OptimizerSetting C.bp_optimizer_setting
	Scaling          C.bp_scaling
	TrainerSetting   C.bp_trainer_setting
)

const (
	ErrorArgument Status = C.BP_ERROR_ARGUMENT
	ErrorState    Status = C.BP_ERROR_STATE
	ErrorIO       Status = C.BP_ERROR_IO

	Sigmoid Activation = C.BP_ACTIVATION_SIGMOID
	Tanh    Activation = C.BP_ACTIVATION_TANH
	Softmax Activation = C.BP_ACTIVATION_SOFTMAX

	GlorotUniform Initializer = C.BP_INITIALIZER_GLOROT_UNIFORM

	CrossEntropy Loss = C.BP_LOSS_CROSS_ENTROPY

	Adam Method = C.BP_METHOD_ADAM

	LearningRate OptimizerSetting = C.BP_OPTIMIZER_LEARNING_RATE

	MinMax Scaling = C.BP_SCALING_MIN_MAX

	Epochs    TrainerSetting = C.BP_TRAINER_EPOCHS
	BatchSize TrainerSetting = C.BP_TRAINER_BATCH_SIZE
	Seed      TrainerSetting = C.BP_TRAINER_SEED
)

// Error is a failure with the library's sentence.
type Error struct {
	Status   Status
	Sentence string
}

func (e *Error) Error() string {
	return e.Sentence
}

// check makes the call, and an error of its status. The sentence is that of a thread, which Go could change in between.
func check(call func() C.bp_status) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := call(); status != C.BP_OK {
		return &Error{Status(status), C.GoString(C.bp_last_error())}
	}
	return nil
}

func failure(status Status, format string, arguments ...any) error {
	return &Error{status, fmt.Sprintf(format, arguments...)}
}

// pointer is NULL for a slice without elements.
func pointer(numbers []float32) *C.float {
	if len(numbers) == 0 {
		return nil
	}
	return (*C.float)(unsafe.Pointer(&numbers[0]))
}

// Version is the library's.
func Version() string {
	return C.GoString(C.bp_version())
}

// Net is a feed-forward network. Many goroutines may call Predict and Save at a time.
type Net struct{ handle *C.bp_net }

func NewNet(inputs int) (*Net, error) {
	net := &Net{}
	err := check(func() C.bp_status { return C.bp_net_create(&net.handle, C.BP_F32, C.size_t(inputs)) })
	if err != nil {
		return nil, err
	}
	return net, nil
}

func LoadNet(path string) (*Net, error) {
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	net := &Net{}
	err := check(func() C.bp_status { return C.bp_net_load_as(&net.handle, text, C.BP_F32, 0) })
	if err != nil {
		return nil, err
	}
	return net, nil
}

func (net *Net) Close() {
	C.bp_net_destroy(net.handle)
	net.handle = nil
}

func (net *Net) InputCount() int {
	return int(C.bp_net_input_count(net.handle))
}

func (net *Net) OutputCount() int {
	return int(C.bp_net_output_count(net.handle))
}

// AddDense adds a layer with bias.
func (net *Net) AddDense(units int, activation Activation) error {
	return check(func() C.bp_status {
		return C.bp_net_add_dense(net.handle, C.size_t(units), C.bp_activation(activation), 1)
	})
}

func (net *Net) Initialize(initializer Initializer, seed uint64) error {
	return check(func() C.bp_status {
		return C.bp_net_initialize(net.handle, C.bp_initializer(initializer), C.uint64_t(seed))
	})
}

// SetInputScaling takes InputCount numbers each.
func (net *Net) SetInputScaling(offset, scale []float32) error {
	if len(offset) != net.InputCount() || len(scale) != net.InputCount() {
		return failure(ErrorArgument, "SetInputScaling: offset has %d numbers, scale %d; they are to have %d", len(offset), len(scale), net.InputCount())
	}
	return check(func() C.bp_status { return C.bp_net_set_input_scaling_f32(net.handle, pointer(offset), pointer(scale)) })
}

// Predict writes y, OutputCount numbers for every InputCount numbers of x.
func (net *Net) Predict(workspace *Workspace, x, y []float32) error {
	if net.handle == nil {
		return failure(ErrorState, "Predict: the net is closed")
	}
	n := len(x) / net.InputCount()
	if len(x) != n*net.InputCount() || len(y) != n*net.OutputCount() {
		return failure(ErrorArgument, "Predict: x has %d numbers, y %d; a sample has %d and %d", len(x), len(y), net.InputCount(), net.OutputCount())
	}
	if n == 0 {
		return nil
	}
	return check(func() C.bp_status {
		return C.bp_net_predict_f32(net.handle, workspace.handle, C.size_t(n), pointer(x), pointer(y))
	})
}

func (net *Net) Save(path string) error {
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	return check(func() C.bp_status { return C.bp_net_save(net.handle, text) })
}

// Workspace is what one goroutine at a time uses a net with.
type Workspace struct{ handle *C.bp_workspace }

func NewWorkspace(net *Net, maxBatch int) (*Workspace, error) {
	workspace := &Workspace{}
	err := check(func() C.bp_status { return C.bp_workspace_create(&workspace.handle, net.handle, C.size_t(maxBatch)) })
	if err != nil {
		return nil, err
	}
	return workspace, nil
}

func (workspace *Workspace) Close() {
	C.bp_workspace_destroy(workspace.handle)
	workspace.handle = nil
}

// Dataset is a copy of samples with their classes.
type Dataset struct{ handle *C.bp_dataset }

// NewDataset takes the same count of inputs for each of the classes.
func NewDataset(inputs []float32, classes []uint32, classCount int) (*Dataset, error) {
	if len(inputs) == 0 || len(classes) == 0 || len(inputs)%len(classes) != 0 {
		return nil, failure(ErrorArgument, "NewDataset: %d inputs cannot be divided among %d samples", len(inputs), len(classes))
	}
	n, first := len(classes), (*C.uint32_t)(unsafe.Pointer(&classes[0]))
	dataset := &Dataset{}
	err := check(func() C.bp_status {
		return C.bp_dataset_create_classes_f32(&dataset.handle, C.size_t(n), C.size_t(len(inputs)/n), C.size_t(classCount), pointer(inputs), first)
	})
	if err != nil {
		return nil, err
	}
	return dataset, nil
}

func (dataset *Dataset) Close() {
	C.bp_dataset_destroy(dataset.handle)
	dataset.handle = nil
}

// FitScaling returns what SetInputScaling wants.
func (dataset *Dataset) FitScaling(scaling Scaling) (offset, scale []float32, err error) {
	n := int(C.bp_dataset_input_count(dataset.handle))
	offset, scale = make([]float32, n), make([]float32, n)
	err = check(func() C.bp_status {
		return C.bp_dataset_fit_scaling_f32(dataset.handle, C.bp_scaling(scaling), pointer(offset), pointer(scale))
	})
	return offset, scale, err
}

// Optimizer moves the parameters of one net.
type Optimizer struct{ handle *C.bp_optimizer }

func NewOptimizer(method Method, net *Net) (*Optimizer, error) {
	optimizer := &Optimizer{}
	err := check(func() C.bp_status { return C.bp_optimizer_create(&optimizer.handle, C.bp_method(method), net.handle) })
	if err != nil {
		return nil, err
	}
	return optimizer, nil
}

func (optimizer *Optimizer) Close() {
	C.bp_optimizer_destroy(optimizer.handle)
	optimizer.handle = nil
}

func (optimizer *Optimizer) Set(setting OptimizerSetting, value float64) error {
	return check(func() C.bp_status {
		return C.bp_optimizer_set(optimizer.handle, C.bp_optimizer_setting(setting), C.double(value))
	})
}

// Trainer trains a net; Run says so if one of the objects that it was made of is closed by then.
type Trainer struct {
	handle    *C.bp_trainer
	net       *Net
	optimizer *Optimizer
	training  *Dataset
}

func NewTrainer(net *Net, optimizer *Optimizer, loss Loss, training *Dataset) (*Trainer, error) {
	trainer := &Trainer{net: net, optimizer: optimizer, training: training}
	var handle *C.bp_trainer
	err := check(func() C.bp_status {
		return C.bp_trainer_create(&handle, net.handle, optimizer.handle, C.bp_loss(loss), training.handle)
	})
	trainer.handle = handle
	if err != nil {
		return nil, err
	}
	return trainer, nil
}

func (trainer *Trainer) Close() {
	C.bp_trainer_destroy(trainer.handle)
	trainer.handle = nil
}

func (trainer *Trainer) Set(setting TrainerSetting, value float64) error {
	return check(func() C.bp_status {
		return C.bp_trainer_set(trainer.handle, C.bp_trainer_setting(setting), C.double(value))
	})
}

// Run trains, and calls progress at each epoch's end; it goes on while that returns true. A panic of progress comes out of Run.
func (trainer *Trainer) Run(progress func(Progress) bool) error {
	if trainer.net.handle == nil || trainer.optimizer.handle == nil || trainer.training.handle == nil {
		return failure(ErrorState, "Run: the net, the optimizer or the dataset is closed")
	}
	call := &progressCall{function: progress}
	handle := cgo.NewHandle(call)
	defer handle.Delete()
	err := check(func() C.bp_status { return C.set_progress(trainer.handle, C.uintptr_t(handle)) })
	if err != nil {
		return err
	}
	defer C.set_progress(trainer.handle, 0)
	err = check(func() C.bp_status { return C.bp_trainer_run(trainer.handle) })
	if call.panicked != nil {
		panic(call.panicked)
	}
	return err
}
