package net.sf.json;

import java.util.Collection;
import java.util.Map;
import java.util.Set;

@SuppressWarnings({"rawtypes", "serial"})
public final class JSONObject implements JSON {
    public JSONObject() {
        throw new UnsupportedOperationException();
    }

    public JSONObject(boolean flag) {
        throw new UnsupportedOperationException();
    }

    public static JSONObject fromObject(Object value) {
        throw new UnsupportedOperationException();
    }

    public Object put(String text, Object value) {
        throw new UnsupportedOperationException();
    }

    public Object get(Object value) {
        throw new UnsupportedOperationException();
    }

    public Object get(String text) {
        throw new UnsupportedOperationException();
    }

    public String getString(String text) {
        throw new UnsupportedOperationException();
    }

    public int getInt(String text) {
        throw new UnsupportedOperationException();
    }

    public long getLong(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean getBoolean(String text) {
        throw new UnsupportedOperationException();
    }

    public JSONObject getJSONObject(String text) {
        throw new UnsupportedOperationException();
    }

    public JSONArray getJSONArray(String text) {
        throw new UnsupportedOperationException();
    }

    public String optString(String text) {
        throw new UnsupportedOperationException();
    }

    public String optString(String text, String text2) {
        throw new UnsupportedOperationException();
    }

    public int optInt(String text) {
        throw new UnsupportedOperationException();
    }

    public int optInt(String text, int number) {
        throw new UnsupportedOperationException();
    }

    public long optLong(String text) {
        throw new UnsupportedOperationException();
    }

    public long optLong(String text, long number) {
        throw new UnsupportedOperationException();
    }

    public boolean optBoolean(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean optBoolean(String text, boolean flag) {
        throw new UnsupportedOperationException();
    }

    public JSONObject optJSONObject(String text) {
        throw new UnsupportedOperationException();
    }

    public JSONArray optJSONArray(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean has(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean containsKey(Object value) {
        throw new UnsupportedOperationException();
    }

    public Set<String> keySet() {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, boolean flag) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, double d) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, int number) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, Object value) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, Collection collection) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, Map map) {
        throw new UnsupportedOperationException();
    }

    public JSONObject element(String text, long number) {
        throw new UnsupportedOperationException();
    }

    public JSONObject accumulate(String text, boolean flag) {
        throw new UnsupportedOperationException();
    }

    public JSONObject accumulate(String text, double d) {
        throw new UnsupportedOperationException();
    }

    public JSONObject accumulate(String text, int number) {
        throw new UnsupportedOperationException();
    }

    public JSONObject accumulate(String text, Object value) {
        throw new UnsupportedOperationException();
    }

    public JSONObject accumulate(String text, long number) {
        throw new UnsupportedOperationException();
    }

    public boolean isArray() {
        throw new UnsupportedOperationException();
    }

    public boolean isEmpty() {
        throw new UnsupportedOperationException();
    }

    public int size() {
        throw new UnsupportedOperationException();
    }

    public boolean isNullObject() {
        throw new UnsupportedOperationException();
    }

    public String toString() {
        throw new UnsupportedOperationException();
    }

    public String toString(int number) {
        throw new UnsupportedOperationException();
    }

    public String toString(int number, int number2) {
        throw new UnsupportedOperationException();
    }
}
