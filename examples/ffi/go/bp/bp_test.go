package bp

import (
	"errors"
	"strings"
	"testing"
)

// refused wants an error of this status whose sentence has this text.
func refused(t *testing.T, err error, status Status, text string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Status != status || !strings.Contains(failed.Sentence, text) {
		t.Fatalf("\"%s\" is expected, not %v", text, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type objects struct {
	net       *Net
	workspace *Workspace
	dataset   *Dataset
	optimizer *Optimizer
	trainer   *Trainer
}

// makeObjects makes a net 2-2 and what trains it with exclusive or.
func makeObjects(t *testing.T) (o objects) {
	var err error
	o.net, err = NewNet(2)
	must(t, err)
	must(t, o.net.AddDense(2, Softmax))
	must(t, o.net.Initialize(GlorotUniform, 42))
	o.workspace, err = NewWorkspace(o.net, 4)
	must(t, err)
	o.dataset, err = NewDataset([]float32{0, 0, 0, 1, 1, 0, 1, 1}, []uint32{0, 1, 1, 0}, 2)
	must(t, err)
	o.optimizer, err = NewOptimizer(Adam, o.net)
	must(t, err)
	o.trainer, err = NewTrainer(o.net, o.optimizer, CrossEntropy, o.dataset)
	must(t, err)
	t.Cleanup(func() {
		o.trainer.Close()
		o.optimizer.Close()
		o.dataset.Close()
		o.workspace.Close()
		o.net.Close()
	})
	return o
}

func TestErrors(t *testing.T) {
	_, err := NewNet(0)
	refused(t, err, ErrorArgument, "bp_net_create: n_inputs is 0; it can be 1 to")
	_, err = NewNet(-1)
	refused(t, err, ErrorArgument, "bp_net_create")
	_, err = LoadNet("no such file")
	refused(t, err, ErrorIO, "no such file")
	o := makeObjects(t)
	refused(t, o.net.AddDense(1, Tanh), ErrorState, "bp_net_add_dense")
	refused(t, o.trainer.Set(BatchSize, 5), ErrorArgument, "bp_trainer_set")
}

func TestSizes(t *testing.T) {
	o := makeObjects(t)
	refused(t, o.net.Predict(o.workspace, make([]float32, 3), make([]float32, 2)), ErrorArgument, "x has 3 numbers")
	refused(t, o.net.Predict(o.workspace, make([]float32, 4), make([]float32, 3)), ErrorArgument, "y 3")
	must(t, o.net.Predict(o.workspace, nil, nil))
	refused(t, o.net.SetInputScaling(make([]float32, 1), make([]float32, 2)), ErrorArgument, "offset has 1")
	_, err := NewDataset(make([]float32, 5), []uint32{0, 1}, 2)
	refused(t, err, ErrorArgument, "5 inputs")
	_, err = NewDataset(nil, nil, 2)
	refused(t, err, ErrorArgument, "0 inputs")
	_, err = NewDataset([]float32{1, 2}, []uint32{0, 7}, 2)
	refused(t, err, ErrorArgument, "bp_dataset_create_classes_f32")
}

func TestClosed(t *testing.T) {
	o := makeObjects(t)
	o.workspace.Close()
	refused(t, o.net.Predict(o.workspace, make([]float32, 2), make([]float32, 2)), ErrorArgument, "bp_net_predict_f32")
	o.net.Close()
	o.net.Close()
	refused(t, o.net.Predict(o.workspace, make([]float32, 2), make([]float32, 2)), ErrorState, "closed")
	refused(t, o.net.Save("file"), ErrorArgument, "bp_net_save")
	refused(t, o.trainer.Run(func(Progress) bool { return true }), ErrorState, "closed")
	_, err := NewWorkspace(o.net, 1)
	refused(t, err, ErrorArgument, "bp_workspace_create")
	o = makeObjects(t)
	o.trainer.Close()
	refused(t, o.trainer.Run(func(Progress) bool { return true }), ErrorArgument, "bp_trainer_set_progress")
	o.dataset.Close()
	_, _, err = o.dataset.FitScaling(MinMax)
	refused(t, err, ErrorArgument, "bp_dataset_fit_scaling_f32")
}

func TestPanic(t *testing.T) {
	o := makeObjects(t)
	must(t, o.trainer.Set(Epochs, 5))
	func() {
		defer func() {
			if value := recover(); value != "enough" {
				t.Fatalf("the panic is %v", value)
			}
		}()
		_ = o.trainer.Run(func(Progress) bool { panic("enough") })
	}()
	var epochs []uint64
	must(t, o.trainer.Run(func(progress Progress) bool {
		epochs = append(epochs, progress.Epoch)
		return progress.Epoch < 3
	}))
	if len(epochs) != 2 || epochs[0] != 2 || epochs[1] != 3 {
		t.Fatalf("after the panic the epochs are %v", epochs)
	}
	var inner error
	must(t, o.trainer.Run(func(Progress) bool {
		inner = o.trainer.Run(func(Progress) bool { return true })
		return false
	}))
	refused(t, inner, ErrorState, "own progress function")
}
