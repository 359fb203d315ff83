package bp

// #include <bp/bp.h>
import "C"

import "runtime/cgo"

// Progress is how far training is.
type Progress struct {
	Epoch, Epochs uint64
	TrainingLoss  float64
}

// progressCall is what a handle stands for while a trainer runs.
type progressCall struct {
	function func(Progress) bool
	panicked any
}

// bpGoProgress is called by C. A panic must not pass C's frames: it is kept, and stops the run.
//
//export bpGoProgress
func bpGoProgress(handle C.uintptr_t, progress *C.bp_progress) (stop C.int) {
	call := cgo.Handle(handle).Value().(*progressCall)
	defer func() {
		if value := recover(); value != nil {
			call.panicked, stop = value, 1
		}
	}()
	if call.function(Progress{uint64(progress.epoch), uint64(progress.epochs), float64(progress.training_loss)}) {
		return 0
	}
	return 1
}
