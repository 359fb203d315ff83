// How long one Predict takes, of one sample and of 256, on a net so small that the call is most of it.
package main

import (
	"fmt"
	"log"
	"math"
	"time"

	"digits/bp"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// measure returns nanoseconds a sample, the least of 20 measurements.
func measure(net *bp.Net, workspace *bp.Workspace, batch int) float64 {
	x, y := make([]float32, batch*net.InputCount()), make([]float32, batch*net.OutputCount())
	calls, least := 25600/batch, math.Inf(1)
	for repetition := 0; repetition < 20; repetition++ {
		begin := time.Now()
		for i := 0; i < calls; i++ {
			must(net.Predict(workspace, x, y))
		}
		least = math.Min(least, float64(time.Since(begin).Nanoseconds())/float64(calls*batch))
	}
	return least
}

func main() {
	net, err := bp.NewNet(2)
	must(err)
	defer net.Close()
	for _, units := range []int{3, 2, 1} {
		must(net.AddDense(units, bp.Sigmoid))
	}
	must(net.Initialize(bp.GlorotUniform, 42))
	workspace, err := bp.NewWorkspace(net, 256)
	must(err)
	defer workspace.Close()
	fmt.Printf("one sample: %.1f ns\n", measure(net, workspace, 1))
	fmt.Printf("256 samples: %.1f ns each\n", measure(net, workspace, 256))
}
