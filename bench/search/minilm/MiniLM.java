import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Embeds each line of its input with all-MiniLM-L6-v2 as sentence-transformers does: the
 * first 256 word pieces, the mean of their vectors, made one long. It writes 384 numbers
 * a line, as little-endian floats.
 */
public final class MiniLM {
  private static final Map<String, String> PIECES =
      Map.of("maxLength", "256", "modelMaxLength", "256", "truncation", "true", "padding", "false");

  public static void main(String[] args) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (var tokens = MiniLM.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json");
        var model = MiniLM.class.getResourceAsStream("/all-minilm-l6-v2.onnx");
        var tokenizer = HuggingFaceTokenizer.newInstance(tokens, PIECES);
        var session = environment.createSession(model.readAllBytes());
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line; (line = in.readLine()) != null; ) {
        float[] vector = embed(environment, session, tokenizer.encode(line));
        ByteBuffer out = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
        out.asFloatBuffer().put(vector);
        System.out.write(out.array());
      }
      System.out.flush();
    }
  }

  private static float[] embed(OrtEnvironment environment, OrtSession session, Encoding text) throws Exception {
    try (var ids = OnnxTensor.createTensor(environment, new long[][] {text.getIds()});
        var mask = OnnxTensor.createTensor(environment, new long[][] {text.getAttentionMask()});
        var types = OnnxTensor.createTensor(environment, new long[][] {text.getTypeIds()});
        var result = session.run(Map.of("input_ids", ids, "attention_mask", mask, "token_type_ids", types))) {
      float[][] pieces = ((float[][][]) result.get(0).getValue())[0];
      float[] sum = new float[pieces[0].length];
      for (float[] piece : pieces) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += piece[i];
        }
      }
      double squares = 0;
      for (float x : sum) {
        squares += x * x;
      }
      for (int i = 0; i < sum.length; i++) {
        sum[i] /= (float) Math.sqrt(squares);
      }
      return sum;
    }
  }
}
