// What ../c/digits.c does, in Go: an error, a net that learns digits, predictions, a model file.
package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"reflect"
	"strconv"

	"digits/bp"
)

const training, pixels, classes = 1438, 64, 10

func readDigits(path string) (inputs []float32, digits []uint32, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = pixels + 1
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(rows) <= training {
		return nil, nil, fmt.Errorf("%s: it has %d rows; more than %d are needed", path, len(rows), training)
	}
	for _, row := range rows {
		for _, field := range row[:pixels] {
			number, err := strconv.ParseFloat(field, 32)
			if err != nil {
				return nil, nil, err
			}
			inputs = append(inputs, float32(number))
		}
		digit, err := strconv.ParseUint(row[pixels], 10, 32)
		if err != nil {
			return nil, nil, err
		}
		digits = append(digits, uint32(digit))
	}
	return inputs, digits, nil
}

func printProgress(progress bp.Progress) bool {
	if progress.Epoch%10 == 0 {
		fmt.Printf("epoch %d of %d: loss %.4f\n", progress.Epoch, progress.Epochs, progress.TrainingLoss)
	}
	return true // go on
}

func largest(outputs []float32) (answer uint32) {
	for k, output := range outputs {
		if output > outputs[answer] {
			answer = uint32(k)
		}
	}
	return answer
}

// firstError is for calls of which each can be made though another has failed.
func firstError(errors ...error) error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// makeNet makes 64-32-10, which scales its inputs.
func makeNet(dataset *bp.Dataset) (*bp.Net, error) {
	offset, scale, err := dataset.FitScaling(bp.MinMax)
	if err != nil {
		return nil, err
	}
	net, err := bp.NewNet(pixels)
	if err != nil {
		return nil, err
	}
	err = firstError(
		net.AddDense(32, bp.Tanh),
		net.AddDense(classes, bp.Softmax),
		net.Initialize(bp.GlorotUniform, 42),
		net.SetInputScaling(offset, scale))
	if err != nil {
		net.Close()
		return nil, err
	}
	return net, nil
}

func train(net *bp.Net, dataset *bp.Dataset) error {
	optimizer, err := bp.NewOptimizer(bp.Adam, net)
	if err != nil {
		return err
	}
	defer optimizer.Close()
	trainer, err := bp.NewTrainer(net, optimizer, bp.CrossEntropy, dataset)
	if err != nil {
		return err
	}
	defer trainer.Close()
	err = firstError(
		optimizer.Set(bp.LearningRate, 0.005),
		trainer.Set(bp.Epochs, 20),
		trainer.Set(bp.BatchSize, 32),
		trainer.Set(bp.Seed, 42))
	if err != nil {
		return err
	}
	return trainer.Run(printProgress)
}

func predict(net *bp.Net, inputs []float32) ([]float32, error) {
	workspace, err := bp.NewWorkspace(net, 64)
	if err != nil {
		return nil, err
	}
	defer workspace.Close()
	outputs := make([]float32, len(inputs)/pixels*classes)
	return outputs, net.Predict(workspace, inputs, outputs)
}

func run(dataPath, modelPath string) error {
	inputs, digits, err := readDigits(dataPath)
	if err != nil {
		return err
	}
	testInputs, testDigits := inputs[training*pixels:], digits[training:]
	fmt.Println("libbp", bp.Version())
	if _, err := bp.NewNet(0); err != nil {
		fmt.Println("refused:", err)
	}

	dataset, err := bp.NewDataset(inputs[:training*pixels], digits[:training], classes)
	if err != nil {
		return err
	}
	defer dataset.Close()
	net, err := makeNet(dataset)
	if err != nil {
		return err
	}
	defer net.Close()
	if err := train(net, dataset); err != nil {
		return err
	}

	// predict many, and one
	outputs, err := predict(net, testInputs)
	if err != nil {
		return err
	}
	right := 0
	for i, digit := range testDigits {
		if largest(outputs[i*classes:(i+1)*classes]) == digit {
			right++
		}
	}
	fmt.Printf("accuracy %.4f on %d digits\n", float64(right)/float64(len(testDigits)), len(testDigits))
	one, err := predict(net, testInputs[:pixels])
	if err != nil {
		return err
	}
	fmt.Printf("the first is a %d, and taken for a %d\n", testDigits[0], largest(one))

	// save and load
	if err := net.Save(modelPath); err != nil {
		return err
	}
	loaded, err := bp.LoadNet(modelPath)
	if err != nil {
		return err
	}
	defer loaded.Close()
	again, err := predict(loaded, testInputs)
	if err != nil {
		return err
	}
	answers := "other answers"
	if reflect.DeepEqual(outputs, again) {
		answers = "the same answers"
	}
	fmt.Println("loaded:", answers)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: digits DIGITS.CSV MODEL.safetensors")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "digits:", err)
		os.Exit(1)
	}
}
