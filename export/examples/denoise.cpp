// Denoise raw BGR frames, standard input to standard output, with onnxruntime's C++ headers.
//
// g++ -std=c++17 -O2 denoise.cpp -I $ORT/include -L $ORT/lib -Wl,-rpath,$ORT/lib -lonnxruntime -o denoise
// ./denoise lowlight-int8.onnx 640x480 [STRENGTH] < dark.bgr > clean.bgr

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <onnxruntime_cxx_api.h>
#include <regex>
#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  int width = 0, height = 0;
  if (argc < 3 || std::sscanf(argv[2], "%dx%d", &width, &height) != 2) {
    std::fprintf(stderr, "usage: %s MODEL WIDTHxHEIGHT [STRENGTH] < in.bgr > out.bgr\n", argv[0]);
    return 2;
  }
  Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
  Ort::Session session(env, argv[1], Ort::SessionOptions());
  Ort::AllocatorWithDefaultOptions allocator;
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);

  // The manifest says to which multiple (the network's stride) frames are padded inside the file.
  std::string manifest = session.GetModelMetadata().LookupCustomMetadataMapAllocated("dae_edge", allocator).get();
  std::smatch found;
  std::regex_search(manifest, found, std::regex("\"multiple\": *([0-9]+)"));
  const int64_t stride = std::stoi(found[1]);
  // A state's open side is "H/2" or "W/2": half of the padded frame's.
  auto half = [&](int64_t side) { return (side + stride - 1) / stride * stride / 2; };

  // The inputs: the frame, then what the network remembers, zeros at the beginning of a clip.
  std::vector<std::string> inputs, outputs;
  std::vector<Ort::Value> values;
  std::vector<uint8_t> frame;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    inputs.push_back(session.GetInputNameAllocated(i, allocator).get());
    const bool is_frame = inputs.back() == "frame";
    auto shape = session.GetInputTypeInfo(i).GetTensorTypeAndShapeInfo().GetShape();
    const size_t row = is_frame ? 1 : 2;  // frames are (1, H, W, C), states (1, C, H/2, W/2)
    if (shape[row] < 0) shape[row] = is_frame ? height : half(height);
    if (shape[row + 1] < 0) shape[row + 1] = is_frame ? width : half(width);
    if (is_frame) {
      frame.resize(shape[1] * shape[2] * shape[3]);
      values.push_back(Ort::Value::CreateTensor<uint8_t>(memory, frame.data(), frame.size(), shape.data(), 4));
    } else {
      values.push_back(Ort::Value::CreateTensor<float>(allocator, shape.data(), shape.size()));
      auto count = values.back().GetTensorTypeAndShapeInfo().GetElementCount();
      std::fill_n(values.back().GetTensorMutableData<float>(), count, 0.0f);
    }
    outputs.push_back(is_frame ? "denoised" : inputs.back() + "_next");
  }
  // 0 (the frame untouched) to 1 (fully denoised); left out, it is 1.
  float strength = argc > 3 ? std::strtof(argv[3], nullptr) : 1;
  if (argc > 3) {
    inputs.push_back("strength");
    values.push_back(Ort::Value::CreateTensor<float>(memory, &strength, 1, nullptr, 0));
  }

  std::vector<const char*> input_names, output_names;
  for (auto& name : inputs) input_names.push_back(name.c_str());
  for (auto& name : outputs) output_names.push_back(name.c_str());
  while (std::fread(frame.data(), 1, frame.size(), stdin) == frame.size()) {
    auto got = session.Run(Ort::RunOptions(), input_names.data(), values.data(), values.size(),
                           output_names.data(), output_names.size());
    for (size_t i = 0; i < got.size(); ++i) {
      if (inputs[i] == "frame")
        std::fwrite(got[i].GetTensorData<uint8_t>(), 1, frame.size(), stdout);
      else
        values[i] = std::move(got[i]);  // what it remembers goes into the next run
    }
  }
}
