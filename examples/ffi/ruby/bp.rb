# libbp for Ruby, the calls that the example needs. The prototypes below are the headers', and become methods of their handles:
# net.add_dense(32, BP::ACTIVATION_TANH, 1) is bp_net_add_dense, BP::Net.load(path) makes a net by bp_net_load. A call that fails raises BP::Error
# with bp_last_error's sentence. Numbers come and go as arrays of Ruby, whose lengths C does not know: the methods that take them look first.
require "fiddle"
require "fiddle/import"

module BP
  extend Fiddle::Importer

  class Error < StandardError
  end

  F32 = 1
  ACTIVATION_SIGMOID = 1
  ACTIVATION_TANH = 2
  ACTIVATION_SOFTMAX = 13
  INITIALIZER_GLOROT_UNIFORM = 2
  SCALING_MIN_MAX = 0
  SCALING_STANDARD = 1
  LOSS_MSE = 0
  LOSS_CROSS_ENTROPY = 4
  METHOD_SGD = 0
  METHOD_ADAM = 5
  OPTIMIZER_LEARNING_RATE = 0
  TRAINER_EPOCHS = 0
  TRAINER_BATCH_SIZE = 1
  TRAINER_SEED = 2
  STOP_EPOCHS = 1
  STOP_CALLBACK = 5
  PROGRESS_EPOCH = 0

  begin
    dlload ENV.fetch("BP_LIBRARY", "libbp.so.1")
  rescue Fiddle::DLError => error
    raise LoadError, "#{error.message}: install libbp and run ldconfig, or name its folder in LD_LIBRARY_PATH, or the file in BP_LIBRARY"
  end

  %w[status dtype activation initializer loss method optimizer_setting progress_when scaling stop trainer_setting].each do |enumeration|
    typealias "bp_#{enumeration}", "int"
  end

  PROTOTYPES = <<~C.split(";").map { |text| text.split.join(" ") }.reject(&:empty?)
    bp_status bp_dataset_create_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_outputs, const float *inputs,
                                    const float *targets);
    bp_status bp_dataset_create_classes_f32(bp_dataset **dataset, size_t n_samples, size_t n_inputs, size_t n_classes, const float *inputs,
                                            const uint32_t *classes);
    bp_status bp_dataset_fit_scaling_f32(const bp_dataset *dataset, bp_scaling scaling, float *offset, float *scale);
    size_t bp_dataset_input_count(const bp_dataset *dataset);
    bp_status bp_net_create(bp_net **net, bp_dtype dtype, size_t n_inputs);
    bp_status bp_net_add_dense(bp_net *net, size_t n_units, bp_activation activation, int bias);
    bp_status bp_net_initialize(bp_net *net, bp_initializer initializer, uint64_t seed);
    bp_status bp_net_set_input_scaling_f32(bp_net *net, const float *offset, const float *scale);
    size_t bp_net_input_count(const bp_net *net);
    size_t bp_net_output_count(const bp_net *net);
    bp_status bp_net_predict_f32(const bp_net *net, bp_workspace *ws, size_t n, const float *x, float *y);
    bp_status bp_net_save(const bp_net *net, const char *path);
    bp_status bp_net_load(bp_net **net, const char *path);
    bp_status bp_optimizer_create(bp_optimizer **opt, bp_method method, const bp_net *net);
    bp_status bp_optimizer_set(bp_optimizer *opt, bp_optimizer_setting setting, double value);
    bp_status bp_trainer_create(bp_trainer **trainer, bp_net *net, bp_optimizer *opt, bp_loss loss, const bp_dataset *training);
    bp_status bp_trainer_set(bp_trainer *trainer, bp_trainer_setting setting, double value);
    bp_status bp_trainer_set_progress(bp_trainer *trainer, bp_progress_function *function, void *context, bp_progress_when when);
    bp_status bp_trainer_run(bp_trainer *trainer);
    bp_stop bp_trainer_stop(const bp_trainer *trainer);
    bp_status bp_workspace_create(bp_workspace **ws, const bp_net *net, size_t max_batch);
  C

  extern "const char *bp_last_error()"
  extern "const char *bp_version()"

  # What a progress function is told.
  Progress = struct [
    "size_t size", "int is_epoch_end", "uint64_t epoch", "uint64_t epochs", "uint64_t batch", "uint64_t batches", "uint64_t step",
    "double learning_rate", "double training_loss", "double seconds", "double samples_per_second", "double seconds_left", "size_t n_metrics",
    "double *training", "double *validation"
  ]

  def self.version
    bp_version.to_s
  end

  def self.check(status)
    raise Error, bp_last_error.to_s.force_encoding("UTF-8") unless status.zero?
  end

  # Room for n numbers that C is to write, and what it has written.
  def self.floats(n)
    Fiddle::Pointer.malloc(n * Fiddle::SIZEOF_FLOAT, Fiddle::RUBY_FREE)
  end

  def self.numbers(floats)
    floats[0, floats.size].unpack("f*")
  end

  def self.divide(count, row)
    raise ArgumentError, "#{count} numbers are no rows of #{row}" if count.zero? || row.zero? || count % row != 0

    count / row
  end

  def self.expect(type, value)
    value.is_a?(type) ? value : raise(TypeError, "#{type} is needed, not #{value.inspect}")
  end

  # How a value becomes this parameter. Fiddle takes anything for a pointer, so types are looked at here; it checks numbers itself.
  def self.converter(parameter)
    case parameter
    when /bp_(dataset|net|optimizer|trainer|workspace) \*\w/
      kind = const_get($1.capitalize)
      ->(value) { expect(kind, value).pointer }
    when /const float \*/ then ->(value) { expect(Array, value).pack("f*") }
    when /const uint32_t \*/ then ->(value) { expect(Array, value).pack("L*") }
    when /float \*|\*\*/ then ->(value) { expect(Fiddle::Pointer, value) }
    when /const char \*/ then ->(value) { expect(String, value) }
    else :itself.to_proc
    end
  end

  # What C owns for Ruby. It is freed when it is collected, or by destroy.
  class Handle
    attr_accessor :running

    def initialize(function, *values)
      out = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
      BP.public_send(function, out, *values)
      @pointer = Fiddle::Pointer.new(out.ptr.to_i, 0, self.class::DESTROY)
      @running = 0
    end

    # Handles that C uses through this one.
    def uses
      []
    end

    def pointer
      raise Error, "this #{self.class} is destroyed" if @pointer.freed?

      uses.each(&:pointer)
      @pointer
    end

    # Frees it now: the collector does not know how large it is.
    def destroy
      raise Error, "this #{self.class} is being trained" if running.positive?

      @pointer.call_free
    end
  end

  class Dataset < Handle
    def self.create(inputs, targets, n_samples)
      sizes = [inputs, targets].map { |array| BP.divide(BP.expect(Array, array).size, n_samples) }
      create_f32(n_samples, *sizes, inputs, targets)
    end

    # As many rows of inputs as there are classes.
    def self.create_classes(n_classes, inputs, classes)
      n = BP.expect(Array, classes).size
      create_classes_f32(n, BP.divide(BP.expect(Array, inputs).size, n), n_classes, inputs, classes)
    end

    # Offset and scale, for Net#set_input_scaling.
    def fit_scaling(scaling)
      both = [BP.floats(input_count), BP.floats(input_count)]
      fit_scaling_f32(scaling, *both)
      both.map { |floats| BP.numbers(floats) }
    end
  end

  class Net < Handle
    # bp_net_initialize: the name initialize is Ruby's.
    def initialize_weights(initializer, seed)
      BP.bp_net_initialize(self, initializer, seed)
    end

    def set_input_scaling(offset, scale)
      n = input_count
      raise ArgumentError, "offset and scale are #{n} numbers each" unless [offset, scale].all? { |array| BP.expect(Array, array).size == n }

      set_input_scaling_f32(offset, scale)
    end

    # The outputs for the rows of inputs.
    def predict(workspace, inputs)
      n = BP.divide(BP.expect(Array, inputs).size, input_count)
      outputs = BP.floats(n * output_count)
      predict_f32(workspace, n, inputs, outputs)
      BP.numbers(outputs)
    end
  end

  class Optimizer < Handle
  end

  class Workspace < Handle
  end

  # A block as a progress function. C is in between, so nothing may leave it but by return: in a fiber of its own break and throw become exceptions,
  # which are kept for Trainer#run, and return in ensure holds up the end of the thread. Pointers are numbers here, because Fiddle would call Ruby to
  # wrap them, unguarded.
  class Callback < Fiddle::Closure
    attr_reader :failure

    def initialize(block)
      super(Fiddle::TYPE_INT, [Fiddle::TYPE_UINTPTR_T, Fiddle::TYPE_UINTPTR_T])
      @block = block
    end

    def call(_, epoch)
      stop = 1
      Fiber.new(blocking: true) do
        Thread.handle_interrupt(Object => :immediate) { @block.call(Progress.new(epoch)) }
        stop = 0
      rescue Exception => error
        @failure = error unless error.is_a?(LocalJumpError) && error.reason == :break
      end.resume
    rescue Interrupt => error # outside of the block
      @failure = error
    ensure
      return stop
    end
  end

  class Trainer < Handle
    attr_reader :uses

    def initialize(function, net, optimizer, loss, training)
      @uses = [net, optimizer, training]
      super
    end

    # Trains, and tells the block of each epoch, which stops the training by break. Interrupts wait for the block, or for the end of the run.
    def run(&progress)
      callback = progress && Callback.new(progress)
      Thread.handle_interrupt(Object => :never) do
        used = [self, *uses].each { |handle| handle.running += 1 }
        BP.bp_trainer_set_progress(self, callback, nil, PROGRESS_EPOCH)
        BP.bp_trainer_run(self)
      ensure
        used.each { |handle| handle.running -= 1 }
      end
      failure = callback&.failure or return
      failure.is_a?(UncaughtThrowError) ? throw(failure.tag, failure.value) : raise(failure)
    end
  end

  # bp_net_create, which writes a net, becomes Net.create; bp_net_save, which takes one, becomes the method save. Written ones stay, and
  # the progress function is given to run.
  PROTOTYPES.each do |prototype|
    function = extern(prototype)
    name, kind, method = prototype.match(/(bp_([a-z]+)_(\w+))\(/).captures
    parameters = prototype[/\((.*)\)/, 1].split(", ")
    converters = parameters.map { |parameter| converter(parameter) }
    owner = const_get(kind.capitalize)
    define_singleton_method(name) do |*values|
      raise ArgumentError, "#{name} has #{converters.size} arguments, not #{values.size}" unless values.size == converters.size

      answer = function.call(*converters.zip(values).map { |convert, value| convert.call(value) })
      prototype.start_with?("bp_status") ? check(answer) : answer
    end
    next if prototype.include?("bp_progress_function")

    if parameters.first.include?("**")
      owner.define_singleton_method(method) { |*values| new(name, *values) } unless owner.singleton_methods(false).include?(method.to_sym)
    else
      owner.define_method(method) { |*values| BP.public_send(name, self, *values) } unless owner.method_defined?(method) || method == "initialize"
    end
  end

  [Dataset, Net, Optimizer, Trainer, Workspace].each do |owner|
    name = "bp_#{owner.name.split("::").last.downcase}"
    owner.const_set(:DESTROY, extern("void #{name}_destroy(#{name} *handle)"))
  end
end
